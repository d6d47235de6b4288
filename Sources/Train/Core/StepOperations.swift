public import Models

/// Counts the operations that a step of each method cannot avoid.
///
/// Their number divided by the rate of matrix products is a lower bound of the time of a step. See `DecoderOperations` for what a pass
/// counts. Texts with a common prompt read it once, and logits are computed only for the rows that predict a target.
public struct StepOperations: Sendable {
    private let model: DecoderOperations

    /// Counts for a decoder whose parameters are marked as trainable or frozen.
    public init(_ decoder: any TransformerDecoder) { model = DecoderOperations(decoder) }

    /// A step with a loss on the tokens of answers, with or without an adapter: supervised fine-tuning, or direct preference
    /// optimisation with two answers to each prompt and known log-probabilities of the reference model.
    /// - Parameters:
    ///   - texts: the tokens of prompts and answers.
    ///   - predictsPrompts: whether the loss includes the tokens of prompts.
    public func answers(_ texts: [PromptLengths], predictsPrompts: Bool = false) -> OperationCount {
        pass(texts.map(\.read), wanted: predictsPrompts ? .all : .predictions)
    }

    /// A step of a reward model on pairs: two answers to each prompt.
    public func pairs(_ texts: [PromptLengths]) -> OperationCount {
        model.forward(texts, wanted: .last) + model.backward(texts, wanted: .last)
            + model.head(rows: texts.reduce(0) { $0 + $1.rows(.last) }, isDifferentiated: true)
    }

    /// The generation of answers. All answers to a prompt share its pass.
    /// - Parameter texts: the tokens of prompts and sampled answers.
    public func sampling(_ texts: [PromptLengths]) -> OperationCount { scoring(texts.map(\.read), layers: 0..<model.layerCount) }

    /// The part of ``sampling(_:)`` that decodes answers token by token, after the pass over the prompts has given the first one.
    /// - Parameter texts: the tokens of prompts and sampled answers.
    public func decoding(_ texts: [PromptLengths]) -> OperationCount {
        sampling(texts)
            - sampling(texts.map { PromptLengths(prompt: $0.prompt, continuations: $0.continuations.map { min($0, 1) }) })
    }

    /// What that part reads from memory at least.
    /// - Parameter texts: the tokens of prompts and sampled answers.
    public func decodingReads(_ texts: [PromptLengths]) -> DecodingReads { model.decodingReads(texts) }

    /// A step of policy optimisation: generation, log-probabilities of the reference model, scores of a reward model after an
    /// end-of-sequence token, and the epochs. Reference and reward model have the shape of the policy.
    /// - Parameters:
    ///   - texts: the tokens of prompts and sampled answers.
    ///   - epochs: the number of passes over the answers, each with a backward pass.
    ///   - sharedLayers: the number of layers, from the first, that are frozen in the policy and equal in all three models; they
    ///     are computed once for every token.
    ///   - hasValueHead: whether a value head is trained.
    public func policy(_ texts: [PromptLengths], epochs: Int, sharedLayers: Int, hasValueHead: Bool) -> OperationCount {
        let (read, scored) = (texts.map(\.read), texts.map(\.ended))
        let (shared, own) = (0..<sharedLayers, sharedLayers..<model.layerCount)
        let values = hasValueHead ? read.reduce(0) { $0 + $1.rows(.predictions) } : 0
        let reference = scoring(read, layers: own)
        // sampling has read all tokens of an answer except the last one
        let reward =
            model.forward(scored, wanted: .last, layers: own) + model.forward(scored, wanted: .all, layers: shared)
            - model.forward(read, wanted: .all, layers: shared) + model.head(rows: scored.reduce(0) { $0 + $1.rows(.last) })
        let epoch =
            pass(read, wanted: .predictions, from: sharedLayers) + model.head(rows: values, isDifferentiated: true)
        return sampling(texts) + model.head(rows: values) + reference + reward + epochs * epoch
    }

    /// Log-probabilities without gradients.
    private func scoring(_ texts: [PromptLengths], layers: Range<Int>) -> OperationCount {
        model.forward(texts, wanted: .predictions, layers: layers)
            + model.projection(rows: texts.reduce(0) { $0 + $1.rows(.predictions) })
    }

    /// A forward and a backward pass with a loss on predictions.
    private func pass(_ texts: [PromptLengths], wanted: PromptLengths.Wanted, from layer: Int = 0) -> OperationCount {
        model.forward(texts, wanted: wanted, layers: layer..<model.layerCount) + model.backward(texts, wanted: wanted)
            + model.projection(rows: texts.reduce(0) { $0 + $1.rows(wanted) }, isDifferentiated: true)
    }
}
