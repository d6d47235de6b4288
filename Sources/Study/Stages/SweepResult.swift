import Data
import Diversity
import Foundation
import Runs
import Train

/// The results of one sweep point on one split.
struct SweepResult: Encodable {
    /// The name of the point's folder in `points/`.
    let point: String
    /// The settings of the point, as they were given.
    let settings: [String: String]
    /// The name of the split.
    let split: String
    /// N, the number of responses to each prompt.
    let n: Int
    /// The number of prompts.
    let prompts: Int
    /// The results by name; see ``columns``. Results that were not measured are absent.
    let values: [String: Double]
    private let order: [String]

    private enum CodingKeys: String, CodingKey { case point, settings, split, n, prompts, values }

    /// The names of results in JSON and their titles in the table.
    private static let columns: [(name: String, title: String)] = [
        ("mean_reward", "reward"), ("chosen_reward", "chosen"), ("expected_reward", "expected"), ("kl", "KL"),
        ("choice_kl_bound", "KL of choice from samples ≤"), ("per_input_ead", "EAD per input"), ("across_input_ead", "EAD across"),
        ("per_input_distinct", "distinct per input"), ("across_input_distinct", "distinct across"),
        ("chosen_across_input_ead", "EAD of chosen"), ("tokens", "tokens"), ("end_share", "ended"),
    ]

    /// The results of a point's run, one for each split.
    static func results(of run: CompletedRun, at point: SweepPoint) throws -> [SweepResult] {
        let names = try Tables.names(inRun: run.folder)
        return try point.stage.bestOfN.evaluationSplits.filter { names.contains($0) }.map { split in
            let prompts = try StoredSamples.prompts(split, inRun: run.folder)
            let chosen = try run.table(split + BestOfNStage.chosenSuffix).filter { $0.numbers["group"] ?? 0 == 0 }
            return SweepResult(point, split: split, prompts: prompts, chosen: chosen)
        }
    }

    init(_ point: SweepPoint, split: String, prompts: [[SampleRow]], chosen: [SampleRow]) {
        (self.point, self.split) = (point.name, split)
        settings = Dictionary(uniqueKeysWithValues: point.settings.map { ($0.name, $0.value) })
        order = point.settings.map(\.name)
        (n, self.prompts) = (point.stage.bestOfN.numReturnSequences, prompts.count)
        let rows = prompts.flatMap { $0 }
        let choice = point.stage.bestOfN.choice
        func mean(_ numbers: [Double?]) -> Double? {
            let known = numbers.compactMap { $0 }
            return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
        }
        let firsts = prompts.compactMap { $0.first?.response }
        let found: [String: Double?] = [
            "mean_reward": mean(rows.map(\.reward)), "chosen_reward": mean(chosen.map(\.reward)),
            "expected_reward": choice == .best ? nil : mean(prompts.map { choice.expectedRewards($0).last }),
            "kl": mean(rows.map { $0.numbers["kl"] }), "choice_kl_bound": mean(prompts.map { choice.klBounds($0).last }),
            "per_input_ead": mean(prompts.map { ExpectationAdjusted.averaged(of: $0.map(\.response)) }),
            "per_input_distinct": mean(prompts.map { DistinctNGrams.averaged(of: $0.map(\.response)) }),
            "across_input_ead": ExpectationAdjusted.averaged(of: firsts),
            "across_input_distinct": DistinctNGrams.averaged(of: firsts),
            "chosen_across_input_ead": ExpectationAdjusted.averaged(of: chosen.map(\.response)),
            "tokens": mean(rows.map { $0.numbers["tokens"] }), "end_share": mean(rows.map { $0.numbers["ended"] }),
        ]
        values = found.compactMapValues { $0 }
    }

    /// A table in Markdown, with one row for each point and split.
    static func markdown(_ results: [SweepResult]) -> String {
        guard let first = results.first else { return "" }
        let shown = columns.filter { column in results.contains { $0.values[column.name] != nil } }
        let titles = first.order + ["split", "N"] + shown.map(\.title)
        var lines = [titles, titles.indices.map { $0 <= first.order.count ? "---" : "---:" }]
        lines += results.map { result in
            result.order.map { result.settings[$0] ?? "" } + [result.split, "\(result.n)"]
                + shown.map { column in result.values[column.name].map { String(format: "%.4g", $0) } ?? "" }
        }
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }
}
