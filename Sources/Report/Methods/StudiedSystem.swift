import Data
internal import Formats
package import Foundation
import Study

/// One system of a study of methods: a line of the manifest `systems.jsonl`, which whoever makes the runs writes.
///
///     {"system": "sft", "method": "SFT", "samples": "samples-sft", "base": true}
///     {"system": "bon-4", "method": "best-of-N", "strength": "N = 4", "samples": "bon-4", "table": "best_of_n", "runs": ["draws", "bon-4"]}
///     {"system": "dpo-0.1", "method": "DPO", "strength": "β = 0.1", "samples": "samples-dpo-0.1", "runs": ["pairs", "dpo-0.1"]}
///
/// The systems of one method stand from the weakest to the strongest: they are the points of its front, which begins at the base.
package struct StudiedSystem: Codable, Equatable, Sendable {
    /// A name that no other system has.
    package var system: String
    /// The method: systems of one method make one line of a picture.
    package var method: String
    /// How strongly the method was applied, as people read it.
    package var strength: String?
    /// The run in the folder of every seed that holds its responses.
    package var samples: String
    /// What stands behind a split's name in the names of its tables: `best_of_n` for `test_best_of_n`; nothing unless given.
    package var table: String?
    /// The runs that it takes to make it, beside the base and the reward model: their seconds are added, and the greatest peak of memory counts.
    package var runs: [String]?
    /// Whether it is the system that all begin with.
    package var base: Bool?

    /// The manifest's name in the folder of a study.
    package static let fileName = "systems.jsonl"

    /// Reads the manifest of a study.
    /// - Throws: `InvalidSetting` for one that is absent, names a system twice or has no base, or more than one; `FormatError` for a line
    ///   that is no system.
    package static func read(from folder: URL) throws -> [StudiedSystem] {
        let url = folder.appendingPathComponent(fileName)
        guard try FileStatus.of(url) != nil else {
            throw InvalidSetting(
                "\(folder.path) has no \(fileName), which says what its runs are; --experiment-dir names the folder that "
                    + "Examples/Experiment/methods.sh writes")
        }
        let systems = try JSONLines<StudiedSystem>(url).read()
        var names: Set<String> = []
        for system in systems where !names.insert(system.system).inserted {
            throw InvalidSetting("\(url.path) has two systems \(system.system); give each a name of its own")
        }
        let bases = systems.filter { $0.base == true }
        guard bases.count == 1 else {
            throw InvalidSetting(
                "\(url.path) has \(bases.isEmpty ? "no system" : "\(bases.count) systems") with \"base\": true; exactly one is the base of all"
            )
        }
        return systems
    }

    /// The name of the table that has its responses to a split.
    func tableName(of split: String) -> String { table.map { "\(split)_\($0)" } ?? split }

    /// For tables: the method and its strength.
    var title: String { strength.map { "\(method), \($0)" } ?? method }
}
