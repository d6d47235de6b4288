package import Eval
package import Foundation
import Formats

/// Systems that are compared with each other, and where their numbers come from.
package struct ReportedSystems: Sendable {
    /// One system in and out of distribution. What was not measured is absent, and a number without an interval has one without width.
    package struct System: Sendable {
        /// What it is called.
        package var name: String
        /// Systems of one method are one line in pictures; nil for a system that stands alone.
        package var method: String?
        /// On prompts like those of training.
        package var id: [Experiment.Metric: Interval] = [:]
        /// Out of distribution.
        package var ood: [Experiment.Metric: Interval] = [:]
        /// How many prompts it was measured on; nil where that is not known.
        package var promptsID, promptsOOD: Int?

        /// A system of which nothing has been measured yet.
        package init(name: String, method: String? = nil) { (self.name, self.method) = (name, method) }
    }

    /// What they were compared on.
    package var dataset: String
    /// Where the numbers come from, and what the intervals are, in a sentence or two.
    package var source: String
    /// The systems; the one that the others began with is the first.
    package var systems: [System]

    /// Systems.
    package init(dataset: String, source: String, systems: [System]) {
        (self.dataset, self.source, self.systems) = (dataset, source, systems)
    }
}

/// A file beside runs that holds a comparison of systems.
package struct SystemsFile: Sendable {
    /// Its name.
    package var name: String
    /// Reads it from a folder.
    package var read: @Sendable (URL) throws -> ReportedSystems

    /// Those that there are; of a folder that has several the first one counts.
    package static let all: [SystemsFile] = [
        SystemsFile(name: "methods.json") { folder in
            let study: MethodStudy = try decoded("methods.json", in: folder)
            let source =
                "Numbers of methods.json in \(folder.lastPathComponent), over \(study.seeds.count) seeds. Intervals are 95 % intervals over "
                + "seeds and prompts."
            return ReportedSystems(
                dataset: study.dataset, source: source,
                systems: study.systems.map { system in
                    var result = ReportedSystems.System(
                        name: system.strength.map { "\(system.method), \($0)" } ?? system.method, method: system.method)
                    (result.id, result.ood) = (system.id.mapValues(interval), system.ood.mapValues(interval))
                    return result
                })
        },
        SystemsFile(name: "experiment.json") { folder in
            let experiment: Experiment = try decoded("experiment.json", in: folder)
            let source =
                "Numbers of experiment.json in \(folder.lastPathComponent), over \(experiment.seeds.count) seeds. Intervals are 95 % "
                + "intervals over seeds and prompts."
            return ReportedSystems(
                dataset: experiment.dataset, source: source,
                systems: experiment.systems.map { system in
                    var result = ReportedSystems.System(name: system.name)
                    (result.id, result.ood) = (system.id.mapValues(interval), system.ood.mapValues(interval))
                    return result
                })
        },
        SystemsFile(name: "summary.json") { folder in
            let summary = try Summary.read(from: folder)
            return ReportedSystems(
                dataset: summary.dataset,
                source: "Numbers of summary.json in \(folder.lastPathComponent). Intervals are 95 % bootstrap intervals over prompts.",
                systems: summary.systems.named.map { name, system in
                    var result = ReportedSystems.System(name: name)
                    (result.id, result.ood) = (scores(system.id), scores(system.ood))
                    return result
                })
        },
    ]

    private static func interval(_ estimate: Experiment.Estimate) -> Interval {
        Interval(mean: estimate.mean, low: estimate.low, high: estimate.high)
    }

    private static func scores(_ scores: Summary.Scores) -> [Experiment.Metric: Interval] {
        func number(_ value: Double) -> Interval { Interval(mean: value, low: value, high: value) }
        var result: [Experiment.Metric: Interval] = [
            .reward: scores.reward, .rougeL: scores.rougeL, .gold: scores.gold, .kl: number(scores.kl),
            .lengthTokens: number(scores.lengthTokens), .eosShare: number(scores.eosShare), .perInputEAD: scores.perInputEAD,
            .acrossInputEAD: scores.acrossInputEAD,
        ]
        result[.perInputEmbedding] = scores.perInputEmbedding
        result[.acrossInputEmbedding] = scores.acrossInputEmbedding
        return result
    }

    private static func decoded<Value: Decodable>(_ name: String, in folder: URL) throws -> Value {
        let url = folder.appendingPathComponent(name)
        let content = Foundation.Data(try Descriptor.content(of: url.path, limit: 256 << 20))
        do {
            return try JSONDecoder().decode(Value.self, from: content)
        } catch {
            throw FileError.damaged(path: url.path, problem: "it does not have the shape that rlhf-report writes")
        }
    }
}
