public import ArgumentParser

/// The model that supervised fine-tuning begins with.
public struct StartingModelOptions: ProgramOptions {
    @Option(help: "A model folder (config.json, weights, tokenizer) or a run folder to start from.")
    public var modelName: String?
    @Option(help: .yesNo("Trains a tokenizer and a LLaMA of the size below from nothing, instead."))
    public var fromScratch = false
    @Option(
        help:
            "What a prompt token's loss weighs beside a summary token's 1; above 0 helps a model that begins from nothing."
    )
    public var promptLossWeight = 0.0
    @Option(help: .yesNo("Whether generated texts are scored with --reward-function, too."))
    public var evalSlRewardFunction = false
    @Option(
        help: """
            Instead of training, scores the posts of the data set with --reward-function and writes the rows that score highest into this \
            JSON file, an index for --dataset-structured-subset sentiment.
            """)
    public var indexOutput: String?
    @Option(help: "With --index-output: posts, or comparisons, whose rows are others.")
    public var indexOf = "posts"
    @Option(help: "With --index-output: the share of each split's rows that the index keeps.")
    public var indexShare = 0.5
    @Option(help: "With --index-output: a folder for the scores of all rows, one .npy file a split.")
    public var indexScores: String?
    @Option(help: "From scratch: ids of the tokenizer.")
    public var vocabularySize = 4096
    @Option(help: "From scratch: the width of the hidden states.")
    public var hiddenSize = 256
    @Option(help: "From scratch: the width inside of the MLPs.")
    public var intermediateSize = 688
    @Option(help: "From scratch: layers.")
    public var numHiddenLayers = 6
    @Option(help: "From scratch: attention heads.")
    public var numAttentionHeads = 8
    @Option(help: .yesNo("From scratch: whether the embeddings are the output projection, too."))
    public var tieWordEmbeddings = false
    @Option(help: "From scratch: the standard deviation of the first weights.")
    public var initializerRange = 0.02
    @Option(help: "From scratch: the longest sequence.")
    public var maxPositionEmbeddings = 512

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

    public func validate() throws {
        guard ["posts", "comparisons"].contains(indexOf) else {
            throw ValidationError("--index-of is '\(indexOf)'; it takes posts or comparisons")
        }
        guard indexShare > 0, indexShare < 1 else { throw ValidationError("--index-share must be between 0 and 1") }
        guard indexOutput == nil else { return }
        guard indexScores == nil else { throw ValidationError("--index-scores goes with --index-output") }
        guard fromScratch != (modelName != nil) else {
            throw ValidationError(
                "name the model to start from with --model-name, or ask for a new one with --from-scratch")
        }
        guard fromScratch else { return }
        for (name, value) in [
            ("--hidden-size", hiddenSize), ("--intermediate-size", intermediateSize),
            ("--num-hidden-layers", numHiddenLayers),
            ("--num-attention-heads", numAttentionHeads), ("--max-position-embeddings", maxPositionEmbeddings),
        ] where value <= 0 {
            throw ValidationError("\(name) must be above 0")
        }
        guard initializerRange > 0 else {
            throw ValidationError("--initializer-range must be above 0")
        }
        guard hiddenSize.isMultiple(of: numAttentionHeads), (hiddenSize / numAttentionHeads).isMultiple(of: 2) else {
            throw ValidationError("--hidden-size must be a multiple of twice --num-attention-heads")
        }
    }
}
