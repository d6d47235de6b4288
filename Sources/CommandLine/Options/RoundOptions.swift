public import ArgumentParser
public import Study

/// Rejection sampling before supervised fine-tuning, in rounds.
public struct RoundOptions: SettingsOptions {
    public typealias Values = RoundSettings

    @Option(
        help: """
            Number of rounds of expert iteration. In each round the model answers the training prompts, the best answers by \
            --reward-function are kept, and the model trains on them. Default: none; the model trains on the data set's own summaries.
            """)
    public var rounds: Int?
    @Option(help: "Answers per training prompt. The best of them is kept. Default: 16.")
    public var roundSamples: Int?
    @Option(help: "Share of the prompts that is trained on. They are those with the best answers. Default: 1.")
    public var roundShare: Double?
    @Option(help: "Least reward of an answer that is trained on. Default: none.")
    public var roundThreshold: Double?
    @Option(help: "Starting model of every round: current or first. The current model is the one that wrote the answers. Default: current.")
    public var roundStart: String?
    @Option(
        help: .yesNo(
            """
            Train on truncated answers, too. Answers truncated at --max-new-tokens get an end-of-sequence token where they were cut. \
            Default: false.
            """))
    public var roundUnfinished: Bool?

    public init() {}
}
