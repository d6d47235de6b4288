/// Settings of the starting model of supervised fine-tuning.
public struct StartingModelSettings: Settings {
    /// The starting model: a model folder (config.json, weights, tokenizer) or a run folder.
    public var modelName: String?
    /// Whether to train a new tokenizer and a randomly initialised LLaMA instead, with the sizes below.
    public var fromScratch = false
    /// The weight of a prompt token's loss; a summary token has weight 1. A weight above 0 helps a model that is trained from
    /// scratch.
    public var promptLossWeight = 0.0
    /// Whether generated texts are also scored with `rewardFunction`.
    public var evalSlRewardFunction = false
    /// From scratch: the vocabulary size of the tokenizer.
    public var vocabularySize = 4096
    /// From scratch: the width of the hidden states.
    public var hiddenSize = 256
    /// From scratch: the inner width of the MLPs.
    public var intermediateSize = 688
    /// From scratch: the number of layers.
    public var numHiddenLayers = 6
    /// From scratch: the number of attention heads.
    public var numAttentionHeads = 8
    /// From scratch: whether the embeddings are also the output projection.
    public var tieWordEmbeddings = false
    /// From scratch: the standard deviation of the initial weights.
    public var initializerRange = 0.02
    /// From scratch: the maximum sequence length in tokens.
    public var maxPositionEmbeddings = 512

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard !fromScratch || modelName == nil else {
            throw InvalidSetting("--model-name and --from-scratch cannot be combined; choose one of them")
        }
        guard fromScratch || modelName != nil else {
            throw InvalidSetting(
                "name the model to start from with --model-name, or make a new one with --from-scratch", isMissing: true)
        }
        guard fromScratch else { return try checkSizesAreDefaults() }
        for (name, value) in [
            ("--hidden-size", hiddenSize), ("--intermediate-size", intermediateSize),
            ("--num-hidden-layers", numHiddenLayers),
            ("--num-attention-heads", numAttentionHeads), ("--max-position-embeddings", maxPositionEmbeddings),
        ] where value <= 0 {
            throw InvalidSetting("\(name) must be above 0")
        }
        guard initializerRange > 0 else {
            throw InvalidSetting("--initializer-range must be above 0")
        }
        guard hiddenSize.isMultiple(of: numAttentionHeads), (hiddenSize / numAttentionHeads).isMultiple(of: 2) else {
            throw InvalidSetting("--hidden-size must be a multiple of twice --num-attention-heads")
        }
    }

    /// Checks that no size is given for a model that is loaded. Such a size would be stored with the run without any effect.
    private func checkSizesAreDefaults() throws {
        let usual = StartingModelSettings()
        let given = [
            ("--vocabulary-size", vocabularySize != usual.vocabularySize), ("--hidden-size", hiddenSize != usual.hiddenSize),
            ("--intermediate-size", intermediateSize != usual.intermediateSize),
            ("--num-hidden-layers", numHiddenLayers != usual.numHiddenLayers),
            ("--num-attention-heads", numAttentionHeads != usual.numAttentionHeads),
            ("--tie-word-embeddings", tieWordEmbeddings != usual.tieWordEmbeddings),
            ("--max-position-embeddings", maxPositionEmbeddings != usual.maxPositionEmbeddings),
        ].filter(\.1).map(\.0)
        guard given.isEmpty else {
            throw InvalidSetting(
                "\(given.joined(separator: ", ")) can only be used with --from-scratch; the model of --model-name has its own values")
        }
    }
}
