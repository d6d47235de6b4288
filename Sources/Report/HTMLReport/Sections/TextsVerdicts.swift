import Data
import Eval
import Formats
import Foundation
import Runs

/// The verdicts of judges on pairs of texts, from runs of `rlhf-report prefer`.
struct TextsVerdicts {
    /// The verdict of a judge on two responses to a prompt.
    struct Verdict {
        /// The name of the judge's run.
        var run: String
        /// The names of the two systems in that run.
        var names: (first: String, second: String)
        /// The two responses.
        var first, second: String
        /// The preference for the first response, from 0 to 1: 1 if it is preferred in both orders, 0.5 for a tie.
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

    /// The part of the results file that names the systems.
    private struct Results: Decodable {
        var systems: [String]?
    }

    /// The verdicts by prompt.
    private(set) var byInput: [String: [Verdict]] = [:]
    /// Notes on files that could not be read.
    private(set) var notes: [String] = []

    /// Reads the verdicts of some runs; runs without verdicts are skipped.
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
