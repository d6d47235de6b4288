import Eval
import Foundation
import Runs

/// The measurements of one system in one seed, and its cost.
struct StudyPart {
    var id, ood: Split
    var cost = Cost()

    /// The measurements of the responses on one distribution.
    struct Split {
        var measurement: SystemMeasurement
        /// The table that was measured.
        let file: URL

        init(_ measurement: SystemMeasurement, file: URL) { (self.measurement, self.file) = (measurement, file) }
    }

    /// The time and memory that runs used: total seconds, and peak memory in bytes.
    struct Cost {
        var seconds: Double?
        var peakMemory: Int?

        /// Adds the cost of a run.
        mutating func add(_ run: URL) throws {
            seconds = try (seconds ?? 0) + RunFolder.seconds(inRun: run)
            if let peak = try RunFolder.peakMemory(inRun: run) { peakMemory = max(peakMemory ?? 0, peak) }
        }
    }
}

/// One system of a study, in all seeds that have it.
struct StudiedParts {
    var system: StudiedSystem
    var parts: [String: StudyPart] = [:]

    init(_ system: StudiedSystem) { self.system = system }

    /// The measurements in some seeds, all of which must have the system.
    func measured(in seeds: [String]) -> MeasuredSystem {
        let found = seeds.compactMap { parts[$0] }
        return MeasuredSystem(name: system.title, id: found.map(\.id.measurement), ood: found.map(\.ood.measurement))
    }

    /// The estimates over those of the given seeds that have the system.
    func system(among seeds: [String], against base: StudiedParts?) -> MethodStudy.System {
        let own = seeds.filter { parts[$0] != nil }
        let numbers = measured(in: own).system(against: base?.measured(in: own))
        let costs = own.compactMap { parts[$0]?.cost }
        var result = MethodStudy.System(
            name: system.system, method: system.method, strength: system.strength, seeds: own,
            seconds: Statistics.mean(of: costs.compactMap(\.seconds)),
            peakMemory: Statistics.mean(of: costs.compactMap { $0.peakMemory.map(Double.init) }), id: numbers.id, ood: numbers.ood,
            gap: numbers.gap, changeID: numbers.changeID, changeOOD: numbers.changeOOD)
        // a win rate is already a comparison with the base
        (result.changeID[.winRate], result.changeOOD[.winRate]) = (nil, nil)
        return result
    }
}
