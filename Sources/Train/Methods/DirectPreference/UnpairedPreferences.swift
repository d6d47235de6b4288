public import Data
public import Models
public import Tensor

/// An answer that is good or bad by itself, with what the reference model makes of it.
public struct UnpairedAnswer: Sendable, Equatable {
    /// The row that it comes from.
    public var id: String
    /// What is answered.
    public var prompt: [Int32]
    /// The answer, with its end.
    public var answer: [Int32]
    /// Whether it is wanted.
    public var isDesirable: Bool
    /// The answer of another row, for the estimate of the divergence.
    public var mismatched: [Int32]
    /// log π_ref of the answer and of the mismatched one.
    public var reference = (answer: 0.0, mismatched: 0.0)

    /// An answer; the reference's log-probabilities are 0 until ``UnpairedReference`` has set them.
    public init(id: String, prompt: [Int32], answer: [Int32], isDesirable: Bool, mismatched: [Int32]) {
        (self.id, self.prompt, self.answer, self.isDesirable, self.mismatched) = (id, prompt, answer, isDesirable, mismatched)
    }

    public static func == (a: UnpairedAnswer, b: UnpairedAnswer) -> Bool {
        a.id == b.id && a.prompt == b.prompt && a.answer == b.answer && a.isDesirable == b.isDesirable && a.mismatched == b.mismatched
            && a.reference == b.reference
    }

    /// The answers of pairs, the chosen one good, the rejected one bad, in this order. Each is mismatched with the answer before it, the first
    /// with the last. A single answer with a label is one.
    public static func answers(of comparisons: [TokenisedComparison]) -> [UnpairedAnswer] {
        var all = comparisons.flatMap { pair -> [UnpairedAnswer] in
            guard !pair.isSingle else {
                return [
                    UnpairedAnswer(
                        id: pair.id, prompt: pair.prompt, answer: pair.summaries[0], isDesirable: pair.choice == 0, mismatched: [])
                ]
            }
            return [pair.choice, 1 - pair.choice].enumerated().map { place, side in
                UnpairedAnswer(
                    id: pair.id, prompt: pair.prompt, answer: pair.summaries[side], isDesirable: place == 0, mismatched: [])
            }
        }
        let answers = all.map(\.answer)
        for index in all.indices { all[index].mismatched = answers[(index + answers.count - 1) % answers.count] }
        return all
    }

    var count: Int { prompt.count + answer.count }
}

/// A loss of answers that are good or bad by themselves: of the log ratio x of an answer, and of the divergence z₀ from the reference that the
/// batch has.
public struct UnpairedLoss: Sendable {
    /// The name.
    public let name: String
    /// Whether the divergence is needed.
    public let usesDivergence: Bool
    /// The loss of an answer and its derivative by x: from x, z₀, β and whether the answer is wanted.
    public let value: @Sendable (_ ratio: PairNumber, _ divergence: Double, _ beta: Double, _ isDesirable: Bool) -> PairNumber

    /// A loss; see the properties.
    public init(
        _ name: String, usesDivergence: Bool,
        value: @escaping @Sendable (_ ratio: PairNumber, _ divergence: Double, _ beta: Double, _ isDesirable: Bool) -> PairNumber
    ) {
        (self.name, self.usesDivergence, self.value) = (name, usesDivergence, value)
    }

    /// 1 − σ(β(x − z₀)) of wanted answers, 1 − σ(β(z₀ − x)) of others (KTO: Ethayarajh et al. 2024).
    public static let kto = UnpairedLoss("kto", usesDivergence: true) { x, divergence, beta, isDesirable in
        1 - ((isDesirable ? beta : -beta) * (x - divergence)).logistic
    }
    /// 1 − σ(βx) of wanted answers, σ(βx) of others.
    public static let apoZeroUnpaired = UnpairedLoss("apo_zero_unpaired", usesDivergence: false) { x, _, beta, isDesirable in
        1 - ((isDesirable ? beta : -beta) * x).logistic
    }

    /// The losses of single answers that come with the library.
    public static let builtIn = [kto, apoZeroUnpaired]
}

/// The settings of direct preference optimisation on single answers.
public struct UnpairedConfig: LoopSettings, Sendable {
    /// The settings of the loop.
    public var loop = LoopConfig()
    /// What stays as it is.
    public var freezing = Freezing()
    /// What is minimised.
    public var loss = UnpairedLoss.kto
    /// How strongly labels move the policy away from the reference.
    public var beta = 0.1
    /// What a wanted answer's loss is multiplied by.
    public var desirableWeight = 1.0
    /// What another answer's loss is multiplied by.
    public var undesirableWeight = 1.0
    /// Ids at and above it have no token.
    public var validTokens: Int?

    /// KTO with β = 0.1.
    public init() { loop.steps.optimizer.learningRate = 1e-6 }

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try validateLoop()
        try Settings.require(beta > 0 && beta.isFinite, "beta", beta, "it must be above 0")
        for (name, weight) in [("wanted", desirableWeight), ("unwanted", undesirableWeight)] {
            try Settings.require(weight >= 0 && weight.isFinite, "the weight of \(name) answers", weight, "it must not be below 0")
        }
    }
}
