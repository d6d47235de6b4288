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
        var questions: Int?
        /// Questions without a verdict by the reason, and their share of all.
        var omissions: [String: Int]?
        var unansweredShare: Double?
        var winRateOfAnswered: WinRate?
        /// By the names of alpaca_eval.
        var alpacaEval: [String: AlpacaEvalWinRate.Estimate]?
        /// Those of them that are wanted and cannot be had, and why.
        var alpacaEvalLeftOut: [String: String]?
        /// Judged inputs without a difficulty, where difficulties are given.
        var inputsWithoutDifficulty: Int?
        var agreementWithPeople: PeopleAgreement?
        var judge: JudgeLedger?
        var ranking: RankingAnalysis?
        /// Per annotator.
        var attentionChecks: [AttentionChecks.Score]?
        /// Of several annotators.
        var agreement: AnnotatorAgreement?
    }

    /// One judged input with its texts; what the judge said with the first system's text shown first, and the other way round.
    private struct Line: Codable {
        var input: String
        var first: String
        var second: String
        var forward: Preference?
        var backward: Preference?
        var forwardShare: Double?
        var backwardShare: Double?
        var forwardAnswer: String?
        var backwardAnswer: String?
        var forwardOmission: JudgeOmission?
        var backwardOmission: JudgeOmission?
        var outcome: Double

        private enum CodingKeys: String, CodingKey {
            case input, first, second, forward, backward, outcome
            case forwardShare = "forward_share"
            case backwardShare = "backward_share"
            case forwardAnswer = "forward_answer"
            case backwardAnswer = "backward_answer"
            case forwardOmission = "forward_omission"
            case backwardOmission = "backward_omission"
        }

        init(input: String, first: String, second: String, _ verdict: PairwiseJudging.Verdict?) {
            (self.input, self.first, self.second) = (input, first, second)
            outcome = verdict?.outcome ?? 0.5
            guard let verdict else { return }
            let (ahead, back) = (verdict.forwardOpinion, verdict.backwardOpinion)
            (forward, backward) = (ahead.preference, back.preference)
            (forwardShare, backwardShare) = (ahead.shareOfFirst, back.shareOfFirst)
            (forwardAnswer, backwardAnswer) = (ahead.answer, back.answer)
            (forwardOmission, backwardOmission) = (ahead.omission, back.omission)
        }
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
    init(
        _ summary: PairwiseJudging.Summary, names: [String], inputs: [String], first: [String], second: [String], isAccuracy: Bool
    ) {
        let omissions = Dictionary(uniqueKeysWithValues: summary.omissions.map { ($0.rawValue, $1) })
        let unansweredShare = summary.questions > 0 ? Double(summary.unreadable) / Double(summary.questions) : 0
        content = Content(
            systems: names, winRate: summary.winRate, lengthControlledWinRate: summary.lengthControlled,
            consistency: summary.consistency, firstPositionShare: summary.firstPositionShare,
            unreadableAnswers: summary.unreadable, questions: summary.questions, omissions: omissions, unansweredShare: unansweredShare,
            winRateOfAnswered: summary.winRateOfAnswered)
        lines = inputs.indices.map { Line(input: inputs[$0], first: first[$0], second: second[$0], summary.verdicts[$0]) }
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
        guard summary.unreadable > 0 else { return }
        flatValues["unanswered_share"] = unansweredShare
        let reasons = omissions.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        text +=
            "\n\(summary.unreadable) of \(summary.questions) questions (\(Self.rounded(unansweredShare))) have no verdict and count as ties "
        text += "(\(reasons))"
        if let answered = summary.winRateOfAnswered {
            add(answered, "win_rate_of_answered")
            text += "\nover the pairs with a verdict in both orders: \(Self.describe(answered))"
        }
    }

    /// What alpaca_eval would say.
    mutating func add(_ estimates: [AlpacaEvalWinRate.Form: AlpacaEvalWinRate.Estimate]) {
        guard !estimates.isEmpty else { return }
        content.alpacaEval = Dictionary(uniqueKeysWithValues: estimates.map { ($0.rawValue, $1) })
        let shown = AlpacaEvalWinRate.Form.allCases.compactMap { form in
            estimates[form].map { "\(form.rawValue) \(Self.rounded($0.rate)) ± \(Self.rounded($0.standardError))" }
        }
        text += "\nas alpaca_eval controls lengths: \(shown.joined(separator: ", "))"
        for (form, estimate) in estimates {
            flatValues["alpaca_eval_\(form.rawValue)"] = estimate.rate
            if let missing = estimate.withoutDifficulty, missing > 0 {
                text += "; \(form.rawValue) leaves out \(missing) inputs without a difficulty"
            }
        }
    }

    /// What alpaca_eval would not say, and why.
    mutating func add(leftOut: [AlpacaEvalWinRate.Form: String]) {
        guard !leftOut.isEmpty else { return }
        content.alpacaEvalLeftOut = Dictionary(uniqueKeysWithValues: leftOut.map { ($0.rawValue, $1) })
        for form in AlpacaEvalWinRate.Form.allCases {
            if let reason = leftOut[form] { text += "\nno \(form.rawValue): \(reason)" }
        }
    }

    /// How many judged inputs have no difficulty.
    mutating func add(inputsWithoutDifficulty: Int) {
        content.inputsWithoutDifficulty = inputsWithoutDifficulty
        flatValues["inputs_without_difficulty"] = Double(inputsWithoutDifficulty)
    }

    /// How far people agree with the judge.
    mutating func add(_ agreement: PeopleAgreement) {
        content.agreementWithPeople = agreement
        flatValues["agreement_with_people"] = agreement.share
        text += "\nthe judge agrees with people in \(Self.rounded(agreement.share)) of \(agreement.tasks) tasks"
        if agreement.leftOut > 0 { text += "; \(agreement.leftOut) answered tasks have no verdict of it" }
    }

    /// How annotators answered attention checks.
    mutating func add(_ scores: [AttentionChecks.Score]) {
        guard !scores.isEmpty else { return }
        content.attentionChecks = scores
        text += "\nattention checks passed: " + scores.map { "\($0.annotator) \($0.passed) of \($0.answered)" }.joined(separator: ", ")
    }

    /// How far annotators agree; nil for fewer than two of them.
    /// - Parameter unit: what each of them answered: a task, or, in rankings, a comparison of two texts.
    mutating func add(_ agreement: AnnotatorAgreement?, annotators: Int, unit: String) {
        guard let agreement else {
            text += "\n\(annotators == 1 ? "one annotator" : "no annotator"): there is no agreement to measure"
            return
        }
        content.agreement = agreement
        for (level, value) in agreement.alpha { flatValues["krippendorff_alpha_\(level)"] = value.mean }
        let alpha = agreement.alpha.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        text +=
            "\nKrippendorff's alpha over \(agreement.sharedTasks) \(unit)s with several answers: \(alpha.isEmpty ? "not defined" : alpha)"
        for pair in agreement.pairs {
            text += "\n\(pair.first) and \(pair.second): same side in \(Self.rounded(pair.sameSide)) of \(pair.tasks) \(unit)s"
            if let kappa = pair.kappa { text += ", Cohen's kappa \(Self.rounded(kappa))" }
        }
        for person in agreement.annotators {
            text +=
                "\n\(person.annotator): \(person.tasks) \(unit)s, neutral \(Self.rounded(person.neutralShare)), "
                + "left \(Self.rounded(person.leftShare))"
            if let share = person.agreementWithOthers { text += ", agrees with the others in \(Self.rounded(share))" }
            if let seconds = person.meanSeconds { text += String(format: ", %.1f s for a \(unit)", seconds) }
        }
    }

    /// What asking has come to.
    mutating func add(_ ledger: JudgeLedger) {
        content.judge = ledger
        flatValues["judge_prompt_tokens"] = Double(ledger.promptTokens)
        flatValues["judge_completion_tokens"] = Double(ledger.completionTokens)
        flatValues["judge_seconds"] = ledger.seconds
        text +=
            "\n\(ledger.model): \(ledger.questions) questions, \(ledger.fromCache) answered from the cache; \(ledger.requests) requests, "
        text += "\(ledger.retries) of them again; \(ledger.promptTokens) tokens of prompts, \(ledger.completionTokens) of answers; "
        text += String(format: "%.1f s", ledger.seconds)
        if let price = ledger.price, let now = ledger.priceOfThisRun {
            flatValues["judge_price"] = price
            text += String(format: "; price %.4f, %.4f of it now", price, now)
        }
        if ledger.uncounted > 0 {
            text +=
                "\nof \(ledger.uncounted) answers the service does not say how many tokens their prompts had: whether these were cut, and their "
            text += "price, is not known"
        }
    }

    /// Writes the files.
    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try AtomicFile.write(try encoder.encode(content), to: folder.appendingPathComponent("preferences.json"))
        if let agreement = content.agreement {
            try AtomicFile.write(Foundation.Data(agreement.annotatorTable.utf8), to: folder.appendingPathComponent("annotators.csv"))
            try AtomicFile.write(Foundation.Data(agreement.taskTable.utf8), to: folder.appendingPathComponent("tasks.csv"))
        }
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
