public import Tensor

/// An answer to a prompt with its reward.
public struct ScoredAnswer: Sendable, Equatable {
    /// The text of the answer.
    public var text: String
    /// The reward of the answer.
    public var reward: Double

    /// An answer with its reward.
    public init(_ text: String, reward: Double) { (self.text, self.reward) = (text, reward) }
}

/// The one meaning of a minimum difference of scores between the texts of a pair.
package enum PairMargin {
    /// Whether a score is above another by at least `margin`. Equal scores make no pair, whatever the margin.
    package static func separates(_ better: Double, from worse: Double, by margin: Double) -> Bool {
        better > worse && better - worse >= margin
    }
}

/// Selects which of a prompt's answers are compared, from the answers and their rewards.
///
/// For a custom selection, assign a value of this type to ``AnswerPairs/selection``.
public struct PairSelection: Sendable {
    /// The indices of a better and a worse answer.
    public typealias Pair = (chosen: Int, rejected: Int)

    /// The name of the selection.
    public let name: String
    /// The pairs of a prompt's answers, given a random stream for this prompt. Pairs with equal rewards are ignored.
    public let pairs: @Sendable (_ answers: [ScoredAnswer], _ random: inout Philox) throws -> [Pair]

    /// A selection; see the properties.
    public init(
        _ name: String, pairs: @escaping @Sendable (_ answers: [ScoredAnswer], _ random: inout Philox) throws -> [Pair]
    ) {
        (self.name, self.pairs) = (name, pairs)
    }

    /// The best answer against the worst; each is the first of several equal ones.
    public static let bestWorst = PairSelection("best-worst") { answers, _ in
        guard let best = extreme(answers, >), let worst = extreme(answers, <) else { return [] }
        return [(best, worst)]
    }
    /// The best answer against a random one of those with a lower reward.
    public static let bestRandom = PairSelection("best-random") { answers, random in
        guard let best = extreme(answers, >) else { return [] }
        let lower = answers.indices.filter { answers[$0].reward < answers[best].reward }
        return lower.randomElement(using: &random).map { [(best, $0)] } ?? []
    }
    /// All pairs whose rewards differ by at least a margin, and are not equal.
    public static func margin(_ margin: Double) -> PairSelection {
        PairSelection("margin") { answers, _ in
            answers.indices.flatMap { better in
                answers.indices.filter { PairMargin.separates(answers[better].reward, from: answers[$0].reward, by: margin) }
                    .map { (better, $0) }
            }
        }
    }
    /// The most diverse good answer against the least diverse bad one (DivPO: Lanchantin et al. 2025). Good answers have a reward
    /// within a share of the range of rewards below its maximum, bad ones within this share above its minimum. With a share of 0,
    /// it is the best answer against the worst.
    /// - Parameters:
    ///   - share: the share of the range of rewards, in 0...0.5.
    ///   - diversity: how much each answer differs from the others.
    public static func divpo(
        threshold share: Double, diversity: @escaping @Sendable (_ answers: [String]) throws -> [Double]
    ) -> PairSelection {
        PairSelection("divpo") { answers, _ in
            guard let best = extreme(answers, >), let worst = extreme(answers, <) else { return [] }
            let (greatest, least) = (answers[best].reward, answers[worst].reward)
            let room = share * (greatest - least)
            let values = try diversity(answers.map(\.text))
            precondition(values.count == answers.count, "\(values.count) diversities of \(answers.count) answers")
            let good = answers.indices.filter { answers[$0].reward >= greatest - room }
            let bad = answers.indices.filter { answers[$0].reward <= least + room }
            guard let chosen = first(of: good, values, >), let rejected = first(of: bad, values, <) else { return [] }
            return [(chosen, rejected)]
        }
    }

    /// The names of the built-in selections.
    public static let builtInNames = ["best-worst", "best-random", "margin", "divpo"]

    private static func extreme(_ answers: [ScoredAnswer], _ precedes: (Double, Double) -> Bool) -> Int? {
        first(of: Array(answers.indices), answers.map(\.reward), precedes)
    }

    /// The first of some indices whose value is extreme according to `precedes`.
    private static func first(of places: [Int], _ values: [Double], _ precedes: (Double, Double) -> Bool) -> Int? {
        places.reduce(nil) { first, place in first.map { precedes(values[place], values[$0]) ? place : $0 } ?? place }
    }
}

/// Makes the pairs of a prompt's answers.
public struct AnswerPairs: Sendable {
    /// Selects the answers that are compared.
    public var selection = PairSelection.bestWorst
    /// The least difference of the rewards of a pair: pairs whose rewards differ by less are left out.
    public var minimumMargin = 0.0
    /// The maximum number of pairs per prompt, drawn at random; nil for all.
    public var limit: Int?
    /// The random stream, from which every prompt's stream is derived with the prompt's ID.
    public var random: Philox

    /// Pairs of the best and the worst answer.
    public init(random: Philox) { self.random = random }

    /// The pairs of a prompt's answers, as indices. Pairs with equal rewards or equal texts, and repeated pairs of texts, are
    /// left out.
    /// - Throws: errors of the selection.
    public func pairs(of answers: [ScoredAnswer], id: String) throws -> [PairSelection.Pair] {
        var random = random.split(id)
        var seen: Set<[String]> = []
        var pairs = try selection.pairs(answers, &random).filter { pair in
            let (chosen, rejected) = (answers[pair.chosen], answers[pair.rejected])
            return PairMargin.separates(chosen.reward, from: rejected.reward, by: minimumMargin) && chosen.text != rejected.text
                && seen.insert([chosen.text, rejected.text]).inserted
        }
        guard let limit, pairs.count > limit else { return pairs }
        pairs.shuffle(using: &random)
        return Array(pairs.prefix(limit))
    }

    /// Pair weights for the answers to one prompt, from how much each answer differs from the others (DDPO and DORPO: Chung et
    /// al. 2025): each deviation minus the smallest one, divided by the mean of these differences, so that the weights have mean
    /// 1. All weights are 1 if the deviations are equal up to rounding.
    public static func weights(ofDeviations deviations: [Double]) -> [Double] {
        guard let least = deviations.min(), let greatest = deviations.max(), greatest - least > 1e-9 * max(abs(least), abs(greatest)) else {
            return deviations.map { _ in 1 }
        }
        let mean = deviations.reduce(0) { $0 + $1 - least } / Double(deviations.count)
        return deviations.map { ($0 - least) / mean }
    }
}
