public import ArgumentParser
public import Study

/// The model that supervised fine-tuning begins with.
public struct StartingModelOptions: SettingsOptions {
    public typealias Values = StartingModelSettings

    @Option(
        help: """
            Model folder, GGUF file or run folder. It holds the starting model; a model folder has config.json, weights and a tokenizer.
            """, completion: .file())
    public var modelName: String?
    @Option(help: .yesNo("Train a new tokenizer and LLaMA from scratch. They replace --model-name; the options below set the sizes."))
    public var fromScratch = Self.defaults.fromScratch
    @Option(
        help: """
            Loss weight of a prompt token. A summary token has weight 1. A weight above 0 helps a model that is trained from scratch.
            """)
    public var promptLossWeight = Self.defaults.promptLossWeight
    @Option(help: .yesNo("Score generated texts with --reward-function, too."))
    public var evalSlRewardFunction = Self.defaults.evalSlRewardFunction
    @Option(help: "From scratch: vocabulary size of the tokenizer.")
    public var vocabularySize = Self.defaults.vocabularySize
    @Option(help: "From scratch: width of the hidden states.")
    public var hiddenSize = Self.defaults.hiddenSize
    @Option(help: "From scratch: inner width of the MLPs.")
    public var intermediateSize = Self.defaults.intermediateSize
    @Option(help: "From scratch: number of layers.")
    public var numHiddenLayers = Self.defaults.numHiddenLayers
    @Option(help: "From scratch: number of attention heads.")
    public var numAttentionHeads = Self.defaults.numAttentionHeads
    @Option(help: .yesNo("From scratch: tie the word embeddings. They are then also the output projection."))
    public var tieWordEmbeddings = Self.defaults.tieWordEmbeddings
    @Option(help: "From scratch: standard deviation of the initial weights.")
    public var initializerRange = Self.defaults.initializerRange
    @Option(help: "From scratch: maximum sequence length in tokens.")
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
