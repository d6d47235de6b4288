/// Which of two texts is better.
public enum Preference: String, Codable, Sendable, CaseIterable {
    /// The text shown first.
    case first
    /// The text shown second.
    case second
    /// Neither.
    case tie

    /// 1 for the text shown first, 0 for the second, 0.5 for a tie.
    var shareOfFirst: Double {
        switch self {
        case .first: 1
        case .second: 0
        case .tie: 0.5
        }
    }

    /// What lies nearer to a half than this is a tie: sums of probabilities are rounded.
    private static let tolerance = 1e-9

    /// The preference that a share or an outcome comes to.
    /// - Parameter share: from 0 for the second to 1 for the first.
    package init(shareOfFirst share: Double) {
        self = abs(share - 0.5) <= Self.tolerance ? .tie : share > 0.5 ? .first : .second
    }
}

/// Two texts for an input, in the order that a judge sees them in.
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

/// A judge of pairs: a person's answers, a model, a reward function.
public protocol PairwiseJudge {
    /// Judges pairs in the order that their texts are given in; nil where the judge has answered, and its answer says nothing.
    /// - Throws: ``JudgeError`` when the judge has no answers or cannot be reached.
    func preferences(for questions: [PairwiseQuestion]) throws -> [Preference?]
    /// The same with weights, answers and reasons, where the judge has them; the preferences alone unless it says more.
    /// - Throws: as ``preferences(for:)``.
    func opinions(for questions: [PairwiseQuestion]) throws -> [JudgeOpinion]
    /// What asking has come to; nil where the judge does not know.
    var ledger: JudgeLedger? { get }
}

extension PairwiseJudge {
    /// The preferences alone.
    public func opinions(for questions: [PairwiseQuestion]) throws -> [JudgeOpinion] {
        try preferences(for: questions).map { JudgeOpinion($0) }
    }

    /// Not known.
    public var ledger: JudgeLedger? { nil }
}

/// Judges pairs in both orders, so that a judge's liking for a position cancels.
public enum PairwiseJudging {
    /// What a judge said about one pair.
    public struct Verdict: Codable, Sendable, Equatable {
        /// What it said with the first system's text shown first.
        public var forwardOpinion: JudgeOpinion
        /// What it said with the second system's text shown first.
        public var backwardOpinion: JudgeOpinion

        /// The two answers.
        public init(forward: JudgeOpinion, backward: JudgeOpinion) {
            forwardOpinion = forward
            backwardOpinion = backward
        }

        /// The answer with the first system's text shown first; a tie where there is none.
        public var forward: Preference { forwardOpinion.preference ?? .tie }
        /// The answer with the second system's text shown first; a tie where there is none.
        public var backward: Preference { backwardOpinion.preference ?? .tie }

        /// Mean over both orders of 1 for the first system, 0 for the second, 0.5 for a tie or no answer.
        public var outcome: Double {
            // a half exactly where both orders give the same weight
            0.5 + ((forwardOpinion.shareOfFirst ?? 0.5) - (backwardOpinion.shareOfFirst ?? 0.5)) / 2
        }

        /// Whether both orders have an answer.
        public var isAnswered: Bool { forwardOpinion.shareOfFirst != nil && backwardOpinion.shareOfFirst != nil }

        /// Whether both orders name the same winner, or both a tie.
        public var isConsistent: Bool {
            forward.shareOfFirst == 1 - backward.shareOfFirst
        }
    }

    /// Results over many pairs.
    public struct Summary: Codable, Sendable, Equatable {
        /// Win rate of the first system over all pairs, identical ones counted as ties.
        public var winRate: WinRate
        /// The rate at equal lengths.
        public var lengthControlled: Interval
        /// Share of pairs with an answer in both orders for which both gave the same winner, or both a tie.
        public var consistency: Double?
        /// Questions without a verdict; they count as ties.
        public var unreadable: Int
        /// Questions: two for each pair that was judged.
        public var questions: Int
        /// Questions without a verdict by the reason.
        public var omissions: [JudgeOmission: Int]
        /// The win rate over the pairs that have an answer in both orders, and identical ones; nil where all have one.
        public var winRateOfAnswered: WinRate?
        /// The mean over answers of how much the text shown first is preferred, ties half; 0.5 for a judge without a liking for a position.
        public var firstPositionShare: Double?
        /// The verdict of each pair; nil where the two texts are identical and were not judged.
        public var verdicts: [Verdict?]

        /// The outcome of each pair for the first system; nil where an order has no answer. Identical texts are ties.
        public var outcomes: [Double?] {
            verdicts.map { verdict in verdict.map { $0.isAnswered ? $0.outcome : nil } ?? 0.5 }
        }
    }

    /// The questions about the outputs of two systems on the same inputs: each pair in both orders, one after the other. Identical
    /// outputs make none.
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

    /// Judges the outputs of two systems on the same inputs; lengths are in words.
    ///
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
