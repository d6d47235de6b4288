/// The model that supervised fine-tuning begins with.
public struct StartingModelSettings: Settings {
    /// A model folder (config.json, weights, tokenizer) or a run folder to start from.
    public var modelName: String?
    /// Trains a tokenizer and a LLaMA of the size below from nothing, instead.
    public var fromScratch = false
    /// What a prompt token's loss weighs beside a summary token's 1; above 0 helps a model that begins from nothing.
    public var promptLossWeight = 0.0
    /// Whether generated texts are scored with `rewardFunction`, too.
    public var evalSlRewardFunction = false
    /// From scratch: ids of the tokenizer.
    public var vocabularySize = 4096
    /// From scratch: the width of the hidden states.
    public var hiddenSize = 256
    /// From scratch: the width inside of the MLPs.
    public var intermediateSize = 688
    /// From scratch: layers.
    public var numHiddenLayers = 6
    /// From scratch: attention heads.
    public var numAttentionHeads = 8
    /// From scratch: whether the embeddings are the output projection, too.
    public var tieWordEmbeddings = false
    /// From scratch: the standard deviation of the first weights.
    public var initializerRange = 0.02
    /// From scratch: the longest sequence.
    public var maxPositionEmbeddings = 512

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard !fromScratch || modelName == nil else {
            throw InvalidSetting("--model-name and --from-scratch exclude each other; name one of them")
        }
        guard fromScratch || modelName != nil else {
            throw InvalidSetting(
                "name the model to start from with --model-name, or ask for a new one with --from-scratch", isMissing: true)
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

    /// The sizes of a model that is loaded are its own: one that is given beside it would be stored with the run and mean nothing.
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
                "\(given.joined(separator: ", ")) only applies to --from-scratch; the model that --model-name names has its own")
        }
    }
}
