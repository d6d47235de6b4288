import Formats
import Foundation
import Runs

/// Seeds of a study that are copies of others: they would count as further seeds, and make every interval too narrow.
enum SeedCopies {
    /// Of what a seed is a copy, and what says so.
    struct Copy: Equatable {
        var original: String
        var reason: String
    }

    private struct Seed {
        let name: String
        let run: URL
        /// The seed that the run's options have.
        let option: Int64?
        /// What the run's tables hold; nil where one is not there.
        let tables: [String]?

        var isNamedByOption: Bool { option.map { name == "\($0)" } ?? false }
    }

    /// The seeds that are copies, by name. A seed is one where its samples are those of another, byte for byte, or where its folder is called by
    /// another number than its run's seed, which is that of another folder.
    /// - Parameters:
    ///   - runs: the name of each seed, and its run of the samples of the system that all begin with.
    ///   - tables: the tables of that run.
    static func find(_ runs: [(seed: String, run: URL)], _ tables: [String]) throws -> [String: Copy] {
        let seeds = runs.map { seed, run in
            // what is damaged is named where it is read
            let options = (try? RunConfiguration.read(inRun: run))?.options ?? [:]
            var option: Int64?
            if case .integer(let number)? = options["seed"] { option = number }
            let texts = tables.compactMap { table in
                (try? Descriptor.content(of: Tables.file(of: table, inRun: run).path)).flatMap {
                    $0.isEmpty ? nil : RunConfiguration.checksum(of: $0)
                }
            }
            return Seed(name: seed, run: run, option: option, tables: texts.count == tables.count ? texts : nil)
        }
        // the original is the folder that has the name of its seed
        let order = seeds.filter(\.isNamedByOption) + seeds.filter { !$0.isNamedByOption }
        var (originals, copies): ([Seed], [String: Copy]) = ([], [:])
        for seed in order {
            if let original = originals.first(where: { isCopy(seed, of: $0) }) {
                copies[seed.name] = Copy(original: original.name, reason: reason(seed, original, tables))
            } else {
                originals.append(seed)
            }
        }
        return copies
    }

    private static func isCopy(_ seed: Seed, of other: Seed) -> Bool {
        if let tables = seed.tables, tables == other.tables { return true }
        return other.isNamedByOption && seed.option == other.option && Int64(seed.name) != nil && !seed.isNamedByOption
    }

    private static func reason(_ seed: Seed, _ original: Seed, _ tables: [String]) -> String {
        guard let option = seed.option, option == original.option else {
            return "\(Tables.file(of: tables.first ?? "", inRun: seed.run).path) has the same rows as that of seed \(original.name)"
        }
        return "\(seed.run.appendingPathComponent(RunConfiguration.fileName).path) says seed \(option)"
    }
}
