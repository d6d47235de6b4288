import Data
import Eval
import Formats
import Foundation

/// What is known of preferences: preferences.json, one line for each judged input, and a text for the terminal.
struct PreferenceResults {
    /// The file.
    private struct Content: Encodable {
        var systems: [String]?
        var winRate: WinRate?
        var lengthControlledWinRate: Interval?
        var consistency: Double?
        var firstPositionShare: Double?
        var unreadableAnswers: Int?
        var ranking: RankingAnalysis?
    }

    /// One judged input.
    private struct Line: Codable {
        var input: String
        var forward: Preference?
        var backward: Preference?
        var outcome: Double
    }

    private var content: Content
    private var lines: [Line] = []
    /// All numbers for metrics.jsonl.
    private(set) var flatValues: [String: Double] = [:]
    /// For the terminal.
    private(set) var text: String

    /// What people said about pairs.
    init(_ rate: WinRate) {
        content = Content(winRate: rate)
        text = "the first system is preferred in \(Self.describe(rate))"
        add(rate, "win_rate")
    }

    /// What people said in rankings.
    init(_ analysis: RankingAnalysis) {
        content = Content(ranking: analysis)
        text = "\(analysis.tasks) tasks; preferred to the reference:"
        for system in analysis.systems {
            text += "\n  \(system.name): \(Self.describe(system.againstReference))"
            add(system.againstReference, "win_rate_\(system.name)")
        }
        for (name, value) in [
            ("disagreement", analysis.disagreement), ("agreement_with_judge", analysis.agreementWithJudge),
        ] {
            guard let value else { continue }
            flatValues[name] = value
            text += "\n\(name.replacing("_", with: " ")): \(Self.rounded(value))"
        }
    }

    /// What a judge said about the outputs of two systems, or about the summaries of comparisons.
    init(_ summary: PairwiseJudging.Summary, names: [String], inputs: [String], isAccuracy: Bool) {
        content = Content(
            systems: names, winRate: summary.winRate, lengthControlledWinRate: summary.lengthControlled,
            consistency: summary.consistency, firstPositionShare: summary.firstPositionShare,
            unreadableAnswers: summary.unreadable)
        lines = zip(inputs, summary.verdicts).map { input, verdict in
            Line(
                input: input, forward: verdict?.forward, backward: verdict?.backward, outcome: verdict?.outcome ?? 0.5)
        }
        text =
            (isAccuracy
                ? "the judge agrees with people in " : "\(names[0]) is preferred to \(names[1]) in ")
            + "\(Self.describe(summary.winRate)); at equal lengths \(summary.lengthControlled)"
        add(summary.winRate, isAccuracy ? "judge_accuracy" : "win_rate")
        flatValues["length_controlled_win_rate"] = summary.lengthControlled.mean
        flatValues["unreadable_answers"] = Double(summary.unreadable)
        if let consistency = summary.consistency {
            flatValues["consistency"] = consistency
            text += "\nboth orders agree in \(Self.rounded(consistency)) of the pairs"
        }
        if let share = summary.firstPositionShare {
            flatValues["first_position_share"] = share
            text += "; the text shown first is chosen in \(Self.rounded(share)) of the answers"
        }
        if summary.unreadable > 0 { text += "\n\(summary.unreadable) answers said nothing and count as ties" }
    }

    /// Writes the files.
    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try AtomicFile.write(try encoder.encode(content), to: folder.appendingPathComponent("preferences.json"))
        guard !lines.isEmpty else { return }
        try JSONLines<Line>(folder.appendingPathComponent("verdicts.jsonl")).write(lines)
    }

    private mutating func add(_ rate: WinRate, _ name: String) {
        flatValues[name] = rate.rate.mean
        flatValues["\(name)_standard_error"] = rate.standardError
    }

    private static func describe(_ rate: WinRate) -> String {
        "\(rate.rate) of \(rate.wins + rate.losses + rate.ties) (\(rate.wins) won, \(rate.losses) lost, \(rate.ties) ties; standard error "
            + "\(rounded(rate.standardError)))"
    }

    private static func rounded(_ value: Double) -> String { String(format: "%.3f", value) }
}
