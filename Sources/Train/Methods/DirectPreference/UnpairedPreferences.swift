public import Data
public import Models
import Tensor

/// An answer that is labelled good or bad, with the reference model's log-probabilities.
public struct UnpairedAnswer: Sendable, Equatable {
    /// The ID of the answer's row.
    public var id: String
    /// The tokens of the prompt.
    public var prompt: [Int32]
    /// The tokens of the answer, with the end-of-sequence token.
    public var answer: [Int32]
    /// Whether the answer is wanted.
    public var isDesirable: Bool
    /// The tokens of another row's answer, for the estimate z₀ of the KL.
    public var mismatched: [Int32]
    /// log π_ref of the answer and of the mismatched answer.
    public var reference = (answer: 0.0, mismatched: 0.0)

    /// An answer. The reference's log-probabilities are 0 until ``UnpairedReference`` sets them.
    public init(id: String, prompt: [Int32], answer: [Int32], isDesirable: Bool, mismatched: [Int32]) {
        (self.id, self.prompt, self.answer, self.isDesirable, self.mismatched) = (id, prompt, answer, isDesirable, mismatched)
    }

    /// Whether two answers are equal in all properties.
    public static func == (a: UnpairedAnswer, b: UnpairedAnswer) -> Bool {
        a.id == b.id && a.prompt == b.prompt && a.answer == b.answer && a.isDesirable == b.isDesirable && a.mismatched == b.mismatched
            && a.reference == b.reference
    }

    /// The single answers in comparisons: of a pair first the chosen answer, labelled good, then the rejected one, labelled bad;
    /// and every single answer with its label. The mismatched answer of each is the preceding answer, that of the first is the
    /// last.
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

/// A loss of single labelled answers: a function of the log ratio x of an answer, and of the batch's estimate z₀ of the KL from
/// the reference.
public struct UnpairedLoss: Sendable {
    /// The name of the loss.
    public let name: String
    /// The name of the method that minimises the loss, such as `kto`: the label of progress lines.
    public let method: String
    /// Whether the loss uses z₀.
    public let usesDivergence: Bool
    /// The loss of an answer with its derivative with respect to x, given x, z₀, β and whether the answer is wanted.
    public let value: @Sendable (_ ratio: PairNumber, _ divergence: Double, _ beta: Double, _ isDesirable: Bool) -> PairNumber

    /// A loss; see the properties. Default of the method: the name of the loss.
    public init(
        _ name: String, method: String? = nil, usesDivergence: Bool,
        value: @escaping @Sendable (_ ratio: PairNumber, _ divergence: Double, _ beta: Double, _ isDesirable: Bool) -> PairNumber
    ) {
        (self.name, self.method, self.usesDivergence, self.value) = (name, method ?? name, usesDivergence, value)
    }

    /// KTO: 1 − σ(β(x − z₀)) for wanted answers, 1 − σ(β(z₀ − x)) for unwanted ones (Ethayarajh et al. 2024).
    public static let kto = UnpairedLoss("kto", usesDivergence: true) { x, divergence, beta, isDesirable in
        1 - ((isDesirable ? beta : -beta) * (x - divergence)).logistic
    }
    /// APO-zero for single answers: 1 − σ(βx) for wanted answers, σ(βx) for unwanted ones (D'Oosterlinck et al. 2024).
    public static let apoZeroUnpaired = UnpairedLoss("apo_zero_unpaired", method: "apo-zero", usesDivergence: false) {
        x, _, beta, isDesirable in
        1 - ((isDesirable ? beta : -beta) * x).logistic
    }

    /// The built-in losses for single answers.
    public static let builtIn = [kto, apoZeroUnpaired]
}

/// The settings of direct preference optimisation on single answers.
public struct UnpairedConfig: LoopSettings, Sendable {
    /// The settings of the training loop.
    public var loop = LoopConfig()
    /// The parameters that are frozen.
    public var freezing = Freezing()
    /// The loss that is minimised.
    public var loss = UnpairedLoss.kto
    /// β, the strength of the KL constraint: a smaller value lets the policy move farther from the reference.
    public var beta = 0.1
    /// The weight of the loss of wanted answers.
    public var desirableWeight = 1.0
    /// The weight of the loss of unwanted answers.
    public var undesirableWeight = 1.0
    /// The number of valid token IDs; logits of IDs from this number on are ignored. Default: nil, all rows of the model.
    public var validTokens: Int?

    /// KTO with β = 0.1 and a learning rate of 1e-6.
    public init() { loop.steps.optimizer.learningRate = 1e-6 }

    /// Checks the range of every setting.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try validateLoop()
        try Settings.require(beta > 0 && beta.isFinite, "beta", beta, "it must be above 0")
        for (name, weight) in [("desirable", desirableWeight), ("undesirable", undesirableWeight)] {
            try Settings.require(weight >= 0 && weight.isFinite, "the weight of \(name) answers", weight, "it must not be below 0")
        }
    }
}
