public import ArgumentParser
public import Study

/// The model that supervised fine-tuning begins with.
public struct StartingModelOptions: SettingsOptions {
    public typealias Values = StartingModelSettings

    @Option(help: "A model folder (config.json, weights, tokenizer), a GGUF file or a run folder to start from.", completion: .file())
    public var modelName: String?
    @Option(help: .yesNo("Trains a tokenizer and a LLaMA of the size below from nothing, instead."))
    public var fromScratch = Self.defaults.fromScratch
    @Option(
        help:
            "What a prompt token's loss weighs beside a summary token's 1; above 0 helps a model that begins from nothing."
    )
    public var promptLossWeight = Self.defaults.promptLossWeight
    @Option(help: .yesNo("Whether generated texts are scored with --reward-function, too."))
    public var evalSlRewardFunction = Self.defaults.evalSlRewardFunction
    @Option(help: "From scratch: ids of the tokenizer.")
    public var vocabularySize = Self.defaults.vocabularySize
    @Option(help: "From scratch: the width of the hidden states.")
    public var hiddenSize = Self.defaults.hiddenSize
    @Option(help: "From scratch: the width inside of the MLPs.")
    public var intermediateSize = Self.defaults.intermediateSize
    @Option(help: "From scratch: layers.")
    public var numHiddenLayers = Self.defaults.numHiddenLayers
    @Option(help: "From scratch: attention heads.")
    public var numAttentionHeads = Self.defaults.numAttentionHeads
    @Option(help: .yesNo("From scratch: whether the embeddings are the output projection, too."))
    public var tieWordEmbeddings = Self.defaults.tieWordEmbeddings
    @Option(help: "From scratch: the standard deviation of the first weights.")
    public var initializerRange = Self.defaults.initializerRange
    @Option(help: "From scratch: the longest sequence.")
    public var maxPositionEmbeddings = Self.defaults.maxPositionEmbeddings

    public init() {}

    /// Options of the original that mean nothing in supervised training.
    public static let ignored: [IgnoredOption] = {
        let elsewhere = "supervised training has no second model; see train-ppo"
        return IgnoredOption.list(.value, ["base-model-name", "value-normalisation*"], elsewhere)
            + IgnoredOption.list(.boolean, ["rl-training"], elsewhere)
            + IgnoredOption.list(
                .value, ["eval-rl-model*"], "a policy is evaluated by its run or folder: --model-name and --do-train=0")
            + [
                IgnoredOption(
                    "num-return-sequences", .value, "evaluations have one text for a prompt; see sample-best-of-n")
            ]
    }()
}
