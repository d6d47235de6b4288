/// A judgement of which of two texts is better.
public enum Preference: String, Codable, Sendable, CaseIterable {
    /// The text shown first.
    case first
    /// The text shown second.
    case second
    /// Neither is better.
    case tie

    /// The preference as a number: 1 for the text shown first, 0 for the second, 0.5 for a tie.
    var shareOfFirst: Double {
        switch self {
        case .first: 1
        case .second: 0
        case .tie: 0.5
        }
    }

    /// Values closer than this to one half are ties, since sums of probabilities are subject to rounding.
    private static let tolerance = 1e-9

    /// The preference that corresponds to a share or an outcome.
    /// - Parameter share: from 0 (second) to 1 (first).
    package init(shareOfFirst share: Double) {
        self = abs(share - 0.5) <= Self.tolerance ? .tie : share > 0.5 ? .first : .second
    }
}

/// Two texts for an input, in the order in which a judge sees them.
public struct PairwiseQuestion: Codable, Sendable, Equatable {
    /// The prompt.
    public var input: String
    /// The text shown first.
    public var first: String
    /// The text shown second.
    public var second: String

    /// A question.
    public init(input: String, first: String, second: String) {
        self.input = input
        self.first = first
        self.second = second
    }
}

/// A judge of pairs of texts: recorded answers, an external program, a language model or a reward function.
public protocol PairwiseJudge {
    /// Judges pairs, with their texts in the given order; nil if the judge answered, but the answer contains no verdict.
    /// - Throws: ``JudgeError`` if the judge has no answer or cannot be reached.
    func preferences(for questions: [PairwiseQuestion]) throws -> [Preference?]
    /// Judges pairs and also returns weights, answers and reasons if the judge has them. Default: the preferences only.
    /// - Throws: as ``preferences(for:)``.
    func opinions(for questions: [PairwiseQuestion]) throws -> [JudgeOpinion]
    /// The cost of all questions so far, such as requests and tokens; nil if the judge does not track it.
    var ledger: JudgeLedger? { get }
}

extension PairwiseJudge {
    /// Default: the preferences only.
    public func opinions(for questions: [PairwiseQuestion]) throws -> [JudgeOpinion] {
        try preferences(for: questions).map { JudgeOpinion($0) }
    }

    /// Default: nil.
    public var ledger: JudgeLedger? { nil }
}

/// Judges pairs in both orders, so that a judge's position bias cancels out.
public enum PairwiseJudging {
    /// A judge's opinions about one pair in both orders.
    public struct Verdict: Codable, Sendable, Equatable {
        /// The opinion with the first system's text shown first.
        public var forwardOpinion: JudgeOpinion
        /// The opinion with the second system's text shown first.
        public var backwardOpinion: JudgeOpinion

        /// A verdict with the opinions in both orders.
        public init(forward: JudgeOpinion, backward: JudgeOpinion) {
            forwardOpinion = forward
            backwardOpinion = backward
        }

        /// The preference with the first system's text shown first; a tie if there is no verdict.
        public var forward: Preference { forwardOpinion.preference ?? .tie }
        /// The preference with the second system's text shown first; a tie if there is no verdict.
        public var backward: Preference { backwardOpinion.preference ?? .tie }

        /// The outcome for the first system: mean over both orders of 1 if it wins, 0 if it loses, and 0.5 for a tie or no
        /// verdict. With weights, the weight takes the place of 1 or 0.
        public var outcome: Double {
            // exactly one half if both orders give the same weight
            0.5 + ((forwardOpinion.shareOfFirst ?? 0.5) - (backwardOpinion.shareOfFirst ?? 0.5)) / 2
        }

        /// Whether there is a verdict in both orders.
        public var isAnswered: Bool { forwardOpinion.shareOfFirst != nil && backwardOpinion.shareOfFirst != nil }

        /// Whether both orders name the same winner, or both are ties.
        public var isConsistent: Bool {
            forward.shareOfFirst == 1 - backward.shareOfFirst
        }
    }

    /// The results for many pairs.
    public struct Summary: Codable, Sendable, Equatable {
        /// The win rate of the first system over all pairs; identical outputs and missing verdicts count as ties.
        public var winRate: WinRate
        /// The length-controlled win rate; see ``LengthControlledWinRate``.
        public var lengthControlled: Interval
        /// The fraction of pairs with the same winner, or a tie, in both orders, among pairs with a verdict in both; nil if
        /// there is no such pair.
        public var consistency: Double?
        /// The number of questions without a verdict; they count as ties.
        public var unreadable: Int
        /// The number of questions: two for each judged pair.
        public var questions: Int
        /// The number of questions without a verdict, by reason.
        public var omissions: [JudgeOmission: Int]
        /// The win rate over pairs with a verdict in both orders and identical pairs; nil if every question has a verdict.
        public var winRateOfAnswered: WinRate?
        /// The mean preference for the text shown first over all verdicts, with ties as one half; 0.5 for a judge without
        /// position bias.
        public var firstPositionShare: Double?
        /// The verdict on each pair; nil for identical outputs, which are not judged.
        public var verdicts: [Verdict?]

        /// The outcome of each pair for the first system; nil if a verdict is missing in one of the orders. Identical outputs
        /// are ties.
        public var outcomes: [Double?] {
            verdicts.map { verdict in verdict.map { $0.isAnswered ? $0.outcome : nil } ?? 0.5 }
        }
    }

    /// The questions about the outputs of two systems on the same inputs: each pair in both orders, consecutively. Identical
    /// outputs are skipped.
    public static func questions(inputs: [String], first: [String], second: [String]) -> [PairwiseQuestion] {
        precondition(
            inputs.count == first.count && inputs.count == second.count,
            "\(inputs.count) inputs, \(first.count) and \(second.count) outputs")
        return inputs.indices.flatMap { i -> [PairwiseQuestion] in
            if first[i].utf8.elementsEqual(second[i].utf8) { return [] }
            return [
                PairwiseQuestion(input: inputs[i], first: first[i], second: second[i]),
                PairwiseQuestion(input: inputs[i], first: second[i], second: first[i]),
            ]
        }
    }

    /// Judges the outputs of two systems on the same inputs. Lengths are measured in words.
    ///
    /// - Parameters:
    ///   - inputs: the prompts.
    ///   - first: the first system's output for each input.
    ///   - second: the second system's output for each input.
    ///   - judge: the judge.
    ///   - resamples: the number of bootstrap resamples; at most 500 are used for the length-controlled win rate.
    ///   - generator: source of randomness for the bootstrap.
    /// - Returns: nil if there are no inputs.
    /// - Throws: what the judge throws.
    public static func compare(
        inputs: [String], first: [String], second: [String], judge: some PairwiseJudge, resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) throws -> Summary? {
        let opinions = try judge.opinions(for: questions(inputs: inputs, first: first, second: second))
        var next = 0
        let verdicts = inputs.indices.map { i -> Verdict? in
            if first[i].utf8.elementsEqual(second[i].utf8) { return nil }
            defer { next += 2 }
            return Verdict(forward: opinions[next], backward: opinions[next + 1])
        }
        let outcomes = verdicts.map { $0?.outcome ?? 0.5 }
        let differences = zip(first, second).map { Double(Lengths.words(in: $0) - Lengths.words(in: $1)) }
        guard let winRate = WinRate(outcomes: outcomes, resamples: resamples, using: &generator),
            let controlled = LengthControlledWinRate.rate(
                outcomes: outcomes, lengthDifferences: differences, resamples: min(resamples, 500), using: &generator)
        else { return nil }
        let unanswered = opinions.filter { $0.shareOfFirst == nil }
        var summary = Summary(
            winRate: winRate, lengthControlled: controlled,
            consistency: Statistics.mean(of: verdicts.compactMap { $0 }.filter(\.isAnswered).map { $0.isConsistent ? 1 : 0 }),
            unreadable: unanswered.count, questions: opinions.count,
            omissions: Dictionary(grouping: unanswered) { $0.omission ?? .unreadable }.mapValues(\.count),
            firstPositionShare: Statistics.mean(of: opinions.compactMap(\.shareOfFirst)), verdicts: verdicts)
        if !unanswered.isEmpty {
            summary.winRateOfAnswered = WinRate(outcomes: summary.outcomes.compactMap { $0 }, resamples: resamples, using: &generator)
        }
        return summary
    }
}
