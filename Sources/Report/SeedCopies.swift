import Formats
import Foundation
import Runs

/// Finds seeds of a study that are copies of others. Counted as separate seeds, they would make every confidence interval too
/// narrow.
enum SeedCopies {
    /// The seed that another seed is a copy of, and the evidence.
    struct Copy: Equatable {
        var original: String
        var reason: String
    }

    private struct Seed {
        let name: String
        let run: URL
        /// The `seed` option of the run.
        let option: Int64?
        /// The checksum of each table; nil if a table is missing, unreadable or empty.
        let tables: [String]?

        var isNamedByOption: Bool { option.map { name == "\($0)" } ?? false }
    }

    /// The seeds that are copies, by name. A seed is a copy if its tables equal those of another seed byte for byte, or if its
    /// folder's number differs from its run's `seed` option and another folder has that number and option.
    /// - Parameters:
    ///   - runs: the name of each seed, and its run with samples of the starting (supervised) model.
    ///   - tables: the names of the tables of that run to compare.
    static func find(_ runs: [(seed: String, run: URL)], _ tables: [String]) throws -> [String: Copy] {
        let seeds = runs.map { seed, run in
            // damaged files are reported where they are read for measurement
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
        // the original is the folder that is named after its run's seed
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
            return "\(Tables.file(of: tables.first ?? "", inRun: seed.run).path) has the same rows as the table of seed \(original.name)"
        }
        return "\(seed.run.appendingPathComponent(RunConfiguration.fileName).path) has the option seed \(option)"
    }
}
