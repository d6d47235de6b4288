import Data
import Eval
import Formats
import Foundation

/// The results of a comparison: the content of `preferences.json`, one line for each judged input, and a text for the terminal.
struct PreferenceResults {
    /// The content of `preferences.json`.
    private struct Content: Encodable {
        var systems: [String]?
        var winRate: WinRate?
        var lengthControlledWinRate: Interval?
        var consistency: Double?
        var firstPositionShare: Double?
        var unreadableAnswers: Int?
        var questions: Int?
        /// The number of questions without a verdict by reason, and their share of all questions.
        var omissions: [String: Int]?
        var unansweredShare: Double?
        var winRateOfAnswered: WinRate?
        /// The estimates of alpaca_eval by name.
        var alpacaEval: [String: AlpacaEvalWinRate.Estimate]?
        /// The requested estimates that cannot be computed, with the reason.
        var alpacaEvalLeftOut: [String: String]?
        /// The number of judged inputs without a difficulty, if difficulties are given.
        var inputsWithoutDifficulty: Int?
        var agreementWithPeople: PeopleAgreement?
        var judge: JudgeLedger?
        var ranking: RankingAnalysis?
        /// The score of each annotator.
        var attentionChecks: [AttentionChecks.Score]?
        /// The agreement between annotators.
        var agreement: AnnotatorAgreement?
    }

    /// One judged input with its texts, and the judge's verdicts with the first system's text shown first (forward) and second
    /// (backward).
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
    /// All values for `metrics.jsonl`.
    private(set) var flatValues: [String: Double] = [:]
    /// The text for the terminal.
    private(set) var text: String

    /// Creates the results of annotators' answers to pairs.
    init(_ rate: WinRate) {
        content = Content(winRate: rate)
        text = "the first system is preferred in \(Self.describe(rate))"
        add(rate, "win_rate")
    }

    /// Creates the results of annotators' rankings.
    init(_ analysis: RankingAnalysis) {
        content = Content(ranking: analysis)
        text = "\(Counted(analysis.tasks, "task")); preferred to the reference:"
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

    /// Creates the results of a judge for the outputs of two systems, or for the summaries of comparisons.
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
            + "\(Self.describe(summary.winRate)); length-controlled \(summary.lengthControlled)"
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
            "\n\(summary.unreadable) of \(Counted(summary.questions, "question")) (\(Self.rounded(unansweredShare))) "
        text +=
            Counted.form(summary.unreadable, "has no verdict and counts as a tie", "have no verdict and count as ties") + " (\(reasons))"
        if let answered = summary.winRateOfAnswered {
            add(answered, "win_rate_of_answered")
            text += "\nover the pairs with a verdict in both orders: \(Self.describe(answered))"
        }
    }

    /// Adds the estimates of alpaca_eval.
    mutating func add(_ estimates: [AlpacaEvalWinRate.Form: AlpacaEvalWinRate.Estimate]) {
        guard !estimates.isEmpty else { return }
        content.alpacaEval = Dictionary(uniqueKeysWithValues: estimates.map { ($0.rawValue, $1) })
        let shown = AlpacaEvalWinRate.Form.allCases.compactMap { form in
            estimates[form].map { "\(form.rawValue) \(Self.rounded($0.rate)) ± \(Self.rounded($0.standardError))" }
        }
        text += "\nlength-controlled by alpaca_eval: \(shown.joined(separator: ", "))"
        for (form, estimate) in estimates {
            flatValues["alpaca_eval_\(form.rawValue)"] = estimate.rate
            if let missing = estimate.withoutDifficulty, missing > 0 {
                text += "; \(form.rawValue) leaves out \(Counted(missing, "input")) without a difficulty"
            }
        }
    }

    /// Adds the estimates of alpaca_eval that cannot be computed, with the reason.
    mutating func add(leftOut: [AlpacaEvalWinRate.Form: String]) {
        guard !leftOut.isEmpty else { return }
        content.alpacaEvalLeftOut = Dictionary(uniqueKeysWithValues: leftOut.map { ($0.rawValue, $1) })
        for form in AlpacaEvalWinRate.Form.allCases {
            if let reason = leftOut[form] { text += "\n\(form.rawValue) is not available: \(reason)" }
        }
    }

    /// Adds the number of judged inputs without a difficulty.
    mutating func add(inputsWithoutDifficulty: Int) {
        content.inputsWithoutDifficulty = inputsWithoutDifficulty
        flatValues["inputs_without_difficulty"] = Double(inputsWithoutDifficulty)
    }

    /// Adds the agreement of the judge with people.
    mutating func add(_ agreement: PeopleAgreement) {
        content.agreementWithPeople = agreement
        flatValues["agreement_with_people"] = agreement.share
        text += "\nthe judge agrees with people in \(Self.rounded(agreement.share)) of \(Counted(agreement.tasks, "task"))"
        if agreement.leftOut > 0 {
            text += "; \(agreement.leftOut) answered \(Counted.form(agreement.leftOut, "task has", "tasks have")) no verdict of the judge"
        }
    }

    /// Adds the annotators' scores on attention checks.
    mutating func add(_ scores: [AttentionChecks.Score]) {
        guard !scores.isEmpty else { return }
        content.attentionChecks = scores
        text += "\nattention checks passed: " + scores.map { "\($0.annotator) \($0.passed) of \($0.answered)" }.joined(separator: ", ")
    }

    /// Adds the agreement between annotators.
    /// - Parameters:
    ///   - agreement: the agreement; nil if there are fewer than two annotators.
    ///   - annotators: the number of annotators.
    ///   - unit: what the annotators answered: a task or, for rankings, a comparison of two texts.
    mutating func add(_ agreement: AnnotatorAgreement?, annotators: Int, unit: String) {
        guard let agreement else {
            text += "\n\(annotators == 1 ? "one annotator" : "no annotator"): agreement needs at least two"
            return
        }
        content.agreement = agreement
        for (level, value) in agreement.alpha { flatValues["krippendorff_alpha_\(level)"] = value.mean }
        let alpha = agreement.alpha.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        text +=
            "\nKrippendorff's alpha over \(Counted(agreement.sharedTasks, unit)) "
            + "with several answers: \(alpha.isEmpty ? "undefined" : alpha)"
        for pair in agreement.pairs {
            text += "\n\(pair.first) and \(pair.second): same side in \(Self.rounded(pair.sameSide)) of \(Counted(pair.tasks, unit))"
            if let kappa = pair.kappa { text += ", Cohen's kappa \(Self.rounded(kappa))" }
        }
        for person in agreement.annotators {
            text +=
                "\n\(person.annotator): \(Counted(person.tasks, unit)), neutral \(Self.rounded(person.neutralShare)), "
                + "left \(Self.rounded(person.leftShare))"
            if let share = person.agreementWithOthers { text += ", agrees with the others in \(Self.rounded(share))" }
            if let seconds = person.meanSeconds { text += String(format: ", %.1f s for a \(unit)", seconds) }
        }
    }

    /// Adds the number of requests, tokens and seconds, and the price.
    mutating func add(_ ledger: JudgeLedger) {
        content.judge = ledger
        flatValues["judge_prompt_tokens"] = Double(ledger.promptTokens)
        flatValues["judge_completion_tokens"] = Double(ledger.completionTokens)
        flatValues["judge_seconds"] = ledger.seconds
        text +=
            "\n\(ledger.model): \(Counted(ledger.questions, "question")), "
            + "\(ledger.fromCache) answered from the cache; \(Counted(ledger.requests, "request")), "
        text +=
            "\(ledger.retries) of them retries; "
            + "\(Counted(ledger.promptTokens, "prompt token")), \(Counted(ledger.completionTokens, "answer token")); "
        text += String(format: "%.1f s", ledger.seconds)
        if let price = ledger.price, let now = ledger.priceOfThisRun {
            flatValues["judge_price"] = price
            text += String(format: "; price %.4f, %.4f of it in this run", price, now)
        }
        if ledger.askedAgain > 0 {
            text += "\nasked again, because the cached answer has no verdict: \(ledger.askedAgain)"
        }
        if ledger.uncounted > 0 {
            text +=
                "\nthe service reported no number of prompt tokens for \(Counted(ledger.uncounted, "answer")): "
                + "whether their prompts were truncated, "
            text += "and their price, is unknown"
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
