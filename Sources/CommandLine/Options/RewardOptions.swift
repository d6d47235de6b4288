public import ArgumentParser
public import Study

/// What gives a response its reward.
public struct RewardOptions: SettingsOptions {
    public typealias Values = RewardSettings

    @Option(
        help: """
            Reward function, or a weighted sum of several. Functions: summarisation (a reward model, --rf-model-dir), sentiment (the \
            probability of a classifier, --rf-model-dir), rouge, bleu, token-id, length, compression, pattern, process (an external \
            program, --scorer-command), or check (whether the answer to a generated instruction is correct, or equals the reference). \
            Several functions with weights are added, each at most once: summarisation:1,length:-0.2.
            """)
    public var rewardFunction = Self.defaults.rewardFunction
    @Option(
        help: """
            Reward model: a model, run or classifier folder. In a run folder, the normalised model is used if there is one. A classifier \
            folder holds a sequence classifier, such as a published reward model. Default: none.
            """, completion: .file())
    public var rfModelDir: String?
    @Option(
        help: """
            Label that counts, by name or number. It is for a classifier with several labels. Default for sentiment: 1, the positive \
            label.
            """)
    public var rewardLabel: String?
    @Option(
        help: """
            Input format of a classifier. One of chat (messages, with its chat template), pair (two texts: prompt and response) or text \
            (both joined). Default: pair for encoders, chat for a classifier with a chat template, otherwise text.
            """)
    public var rewardFormat: String?
    @Option(help: "token-id: threshold above which token IDs count.")
    public var tokenIdRfThreshold = Self.defaults.tokenIdRfThreshold
    @Option(help: "length: target number of words. Default: none; longer is better.")
    public var rewardWords: Int?
    @Option(help: "pattern: regular expression to match. A response should match it. Default: none.")
    public var rewardPattern: String?
    @Option(help: "process: shell command of the scorer. It reads and writes JSON lines, as described in Docs/porting.md. Default: none.")
    public var scorerCommand: String?
    @Option(help: "process: seconds without output to wait. After this time the scorer is restarted.")
    public var scorerPatience = Self.defaults.scorerPatience
    @Option(
        help: """
            Input of a reward model: ids or text. ids are the policy's own tokens; text is tokenised with the reward model's tokenizer, as \
            in the original. Default: ids, but text with --reference-compatible, with --score-position padding-count, or if the tokenizers \
            differ.
            """)
    public var rewardInput: String?
    @Option(
        help: """
            Position of a reward model's score. Either last-token, or padding-count as in the original. Default: last-token; with \
            --reference-compatible, padding-count.
            """)
    public var scorePosition: String?
    @Option(
        help: .yesNo(
            """
            Apply a tanh in the value head. It counts only if the head's folder does not say whether there is one. In train-ppo it is the \
            policy's value head, in other programs the reward model's.
            """))
    public var valueHeadActivation = Self.defaults.valueHeadActivation

    public init() {}

    /// Other names of options.
    public static let aliases = ["reward-model": "rf-model-dir", "sentiment-label": "reward-label"]
}
