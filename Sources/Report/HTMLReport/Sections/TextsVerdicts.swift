import Data
import Eval
import Formats
import Foundation
import Runs

/// What judges have said about pairs of texts: the verdicts of runs of `rlhf-report prefer`.
struct TextsVerdicts {
    /// What a judge has said about two texts for a prompt.
    struct Verdict {
        /// The run that it was said in.
        var run: String
        /// What the run calls the systems.
        var names: (first: String, second: String)
        /// What was judged.
        var first, second: String
        /// The share of the first text: 1 where it is preferred in both orders, 0.5 for a tie.
        var outcome: Double
        /// Whether the judge gave at least one readable answer.
        var isAnswered: Bool
    }

    /// A line of the file of verdicts.
    private struct Line: Codable {
        var input: String
        var first: String
        var second: String
        var forward: Preference?
        var backward: Preference?
        var outcome: Double
    }

    /// What the file of results says about systems.
    private struct Results: Decodable {
        var systems: [String]?
    }

    private(set) var byInput: [String: [Verdict]] = [:]
    /// What could not be read.
    private(set) var notes: [String] = []

    /// Reads those of some runs. Runs that have none have nothing to say.
    init(_ runs: [ReportedRun]) {
        for run in runs {
            let file = run.folder.appendingPathComponent("verdicts.jsonl")
            do {
                guard try FileStatus.of(file)?.kind == .file else { continue }
                let results = try Descriptor.content(of: run.folder.appendingPathComponent("preferences.json").path, limit: 64 << 20)
                let systems = (try? JSONDecoder().decode(Results.self, from: Foundation.Data(results)))?.systems ?? []
                let names = systems.count == 2 ? (first: systems[0], second: systems[1]) : (first: "the first", second: "the second")
                try JSONLines<Line>(file).readEach { line, _ in
                    let verdict = Verdict(
                        run: run.name, names: names, first: line.first, second: line.second, outcome: line.outcome,
                        isAnswered: line.forward != nil || line.backward != nil)
                    byInput[line.input, default: []].append(verdict)
                }
            } catch {
                notes.append("\(run.name): the judge's verdicts are left out: \(error)")
            }
        }
    }
}
