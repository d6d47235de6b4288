public import Tensor

/// An answer to a prompt with its reward.
public struct ScoredAnswer: Sendable, Equatable {
    /// The answer.
    public var text: String
    /// Its reward.
    public var reward: Double

    /// An answer with its reward.
    public init(_ text: String, reward: Double) { (self.text, self.reward) = (text, reward) }
}

/// Which of a prompt's answers are compared: a function of the answers and their rewards.
///
/// One of your own is a value of this type in ``AnswerPairs/selection``.
public struct PairSelection: Sendable {
    /// The places of a better and a worse answer.
    public typealias Pair = (chosen: Int, rejected: Int)

    /// The name.
    public let name: String
    /// The pairs of some answers, with a random stream of the prompt's own. Those whose rewards are equal count for nothing.
    public let pairs: @Sendable (_ answers: [ScoredAnswer], _ random: inout Philox) throws -> [Pair]

    /// A selection; see the properties.
    public init(
        _ name: String, pairs: @escaping @Sendable (_ answers: [ScoredAnswer], _ random: inout Philox) throws -> [Pair]
    ) {
        (self.name, self.pairs) = (name, pairs)
    }

    /// The best answer against the worst, the first of equals each.
    public static let bestWorst = PairSelection("best-worst") { answers, _ in
        guard let best = extreme(answers, >), let worst = extreme(answers, <) else { return [] }
        return [(best, worst)]
    }
    /// The best answer against one that is drawn among those with a lower reward.
    public static let bestRandom = PairSelection("best-random") { answers, random in
        guard let best = extreme(answers, >) else { return [] }
        let lower = answers.indices.filter { answers[$0].reward < answers[best].reward }
        return lower.randomElement(using: &random).map { [(best, $0)] } ?? []
    }
    /// All pairs whose rewards differ by more than a margin.
    public static func margin(_ margin: Double) -> PairSelection {
        PairSelection("margin") { answers, _ in
            answers.indices.flatMap { better in
                answers.indices.filter { answers[better].reward - answers[$0].reward > margin }.map { (better, $0) }
            }
        }
    }
    /// The most diverse of the good answers against the least diverse of the bad ones (DivPO: Lanchantin et al. 2025). Good are rewards within a
    /// share of the range below the greatest, bad those within it above the least; with a share of 0 it is the best against the worst.
    /// - Parameter diversity: how much each answer differs from the others.
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

    /// The names of those that come with the library.
    public static let builtInNames = ["best-worst", "best-random", "margin", "divpo"]

    private static func extreme(_ answers: [ScoredAnswer], _ precedes: (Double, Double) -> Bool) -> Int? {
        first(of: Array(answers.indices), answers.map(\.reward), precedes)
    }

    /// The first of some places whose value no other's precedes.
    private static func first(of places: [Int], _ values: [Double], _ precedes: (Double, Double) -> Bool) -> Int? {
        places.reduce(nil) { first, place in first.map { precedes(values[place], values[$0]) ? place : $0 } ?? place }
    }
}

/// The pairs that are made of a prompt's answers.
public struct AnswerPairs: Sendable {
    /// Which answers are compared.
    public var selection = PairSelection.bestWorst
    /// Pairs whose rewards are closer than this are left out.
    public var minimumMargin = 0.0
    /// How many pairs of a prompt there may be, drawn at random; nil for all.
    public var limit: Int?
    /// Every prompt has a stream of its own in it, named by the prompt's id.
    public var random: Philox

    /// The best answer against the worst.
    public init(random: Philox) { self.random = random }

    /// The places of the better and the worse answers of a prompt: never two of equal rewards or texts, and never two texts twice.
    /// - Throws: what the selection throws.
    public func pairs(of answers: [ScoredAnswer], id: String) throws -> [PairSelection.Pair] {
        var random = random.split(id)
        var seen: Set<[String]> = []
        var pairs = try selection.pairs(answers, &random).filter { pair in
            let (chosen, rejected) = (answers[pair.chosen], answers[pair.rejected])
            let difference = chosen.reward - rejected.reward
            return difference > 0 && difference >= minimumMargin && chosen.text != rejected.text
                && seen.insert([chosen.text, rejected.text]).inserted
        }
        guard let limit, pairs.count > limit else { return pairs }
        pairs.shuffle(using: &random)
        return Array(pairs.prefix(limit))
    }

    /// What the pairs of a prompt weigh by how much their chosen answer differs from the prompt's other answers (DDPO and DORPO: Chung et al.
    /// 2025): each deviation above the least, over the mean of that, so that the mean over the prompt's answers is 1; 1 for all where none
    /// differs more than another but for rounding.
    public static func weights(ofDeviations deviations: [Double]) -> [Double] {
        guard let least = deviations.min(), let greatest = deviations.max(), greatest - least > 1e-9 * max(abs(least), abs(greatest)) else {
            return deviations.map { _ in 1 }
        }
        let mean = deviations.reduce(0) { $0 + $1 - least } / Double(deviations.count)
        return deviations.map { ($0 - least) / mean }
    }
}
