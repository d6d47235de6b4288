import Data
internal import Formats
package import Foundation
import Study

/// One system of a study of methods: a line of the manifest `systems.jsonl`, written by the script that makes the runs.
///
///     {"system": "sft", "method": "SFT", "samples": "samples-sft", "base": true}
///     {"system": "bon-4", "method": "best-of-N", "strength": "N = 4", "samples": "bon-4", "table": "best_of_n", "runs": ["draws", "bon-4"]}
///     {"system": "dpo-0.1", "method": "DPO", "strength": "β = 0.1", "samples": "samples-dpo-0.1", "runs": ["pairs", "dpo-0.1"]}
///
/// The systems of one method are listed from weakest to strongest. They are the points of its line, which starts at the base.
package struct StudiedSystem: Codable, Equatable, Sendable {
    /// The unique name of the system.
    package var system: String
    /// The method. The systems of one method form one line in a picture.
    package var method: String
    /// The strength of the method, for display.
    package var strength: String?
    /// The run with the system's responses, in the folder of every seed.
    package var samples: String
    /// The suffix of its table names after the split's name: `best_of_n` for `test_best_of_n`. Default: none.
    package var table: String?
    /// The runs that are needed to make the system, besides the base and the reward model. Their seconds are added, and their
    /// maximum peak memory is reported.
    package var runs: [String]?
    /// Whether this is the base, the system that all methods start from.
    package var base: Bool?

    /// The file name of the manifest in the folder of a study.
    package static let fileName = "systems.jsonl"

    /// Reads the manifest of a study.
    /// - Throws: `InvalidSetting` if it is missing, names a system twice or does not have exactly one base; `FormatError` for
    ///   an invalid line.
    package static func read(from folder: URL) throws -> [StudiedSystem] {
        let url = folder.appendingPathComponent(fileName)
        guard try FileStatus.of(url) != nil else {
            throw InvalidSetting(
                "\(folder.path) has no \(fileName), the list of its systems; --experiment-dir must be a folder that "
                    + "Examples/Experiment/methods.sh wrote")
        }
        let systems = try JSONLines<StudiedSystem>(url).read()
        var names: Set<String> = []
        for system in systems where !names.insert(system.system).inserted {
            throw InvalidSetting("\(url.path) has two systems named \(system.system); give each system a unique name")
        }
        let bases = systems.filter { $0.base == true }
        guard bases.count == 1 else {
            throw InvalidSetting(
                "\(url.path) has \(bases.isEmpty ? "no system" : "\(Counted(bases.count, "system"))") with \"base\": true; exactly one must have it"
            )
        }
        return systems
    }

    /// The name of the table with its responses to a split.
    func tableName(of split: String) -> String { table.map { "\(split)_\($0)" } ?? split }

    /// The method and its strength, for display.
    var title: String { strength.map { "\(method), \($0)" } ?? method }
}
