public import ArgumentParser
public import Study

/// What gives a response its reward.
public struct RewardOptions: SettingsOptions {
    public typealias Values = RewardSettings

    @Option(
        help: """
            summarisation (a reward model, --rf-model-dir), sentiment (a classifier's probability, --rf-model-dir), rouge, bleu, \
            token-id, length, compression, pattern, process (a program of your own, --scorer-command), or check (whether the answer to a \
            generated instruction is right, or equals the reference). Several, each once, with \
            weights, are added: summarisation:1,length:-0.2.
            """)
    public var rewardFunction = Self.defaults.rewardFunction
    @Option(
        help: """
            The reward model: a model folder or a run folder, whose normalised model counts if there is one; or the folder of a sequence \
            classifier, such as a published reward model.
            """, completion: .file())
    public var rfModelDir: String?
    @Option(
        help: """
            Of a classifier with several labels: the one that counts, by name or number. For sentiment 1, the positive one, unless given.
            """)
    public var rewardLabel: String?
    @Option(
        help: """
            How a classifier reads prompt and response: chat (messages, by its chat template), pair (two texts) or text (joined). Unless \
            given, as it is meant: chat where it has a template, pair for encoders.
            """)
    public var rewardFormat: String?
    @Option(help: "Reward token-id: ids above this count.")
    public var tokenIdRfThreshold = Self.defaults.tokenIdRfThreshold
    @Option(help: "Reward length: the wanted number of words; the more the better unless given.")
    public var rewardWords: Int?
    @Option(help: "Reward pattern: the regular expression that a response should match.")
    public var rewardPattern: String?
    @Option(help: "Reward process: a shell command that reads and writes JSON lines, as Docs/porting.md says.")
    public var scorerCommand: String?
    @Option(help: "Reward process: seconds of silence after which the scorer is started again.")
    public var scorerPatience = Self.defaults.scorerPatience
    @Option(
        help:
            "What a reward model reads: ids (the policy's own tokens), or text (read anew with its own tokenizer), as the original does."
    )
    public var rewardInput: String?
    @Option(help: "Where a reward model's score is read: last-token, or padding-count as the original does.")
    public var scorePosition: String?
    @Option(
        help: .yesNo(
            "Whether the head has a tanh, if its folder does not say so: in train-ppo the policy's value head, in other programs the reward model's."
        ))
    public var valueHeadActivation = Self.defaults.valueHeadActivation

    public init() {}

    /// Other names of options.
    public static let aliases = ["reward-model": "rf-model-dir", "sentiment-label": "reward-label"]
}
