public import ArgumentParser
public import Study

/// Rejection sampling before supervised fine-tuning, in rounds.
public struct RoundOptions: SettingsOptions {
    public typealias Values = RoundSettings

    @Option(
        help: """
            Rounds of expert iteration: the model answers the training prompts, the best answers by --reward-function are kept, and it learns \
            them. Unless given, it learns the data set's own summaries.
            """)
    public var rounds: Int?
    @Option(help: "Answers to every training prompt, of which the best is kept; 16 unless given.")
    public var roundSamples: Int?
    @Option(help: "The share of the prompts, those with the best answers, that is learned from; 1 unless given.")
    public var roundShare: Double?
    @Option(help: "The least reward of an answer that is learned; any unless given.")
    public var roundThreshold: Double?
    @Option(help: "The model that every round's training begins with: current (the one that has answered) or first; current unless given.")
    public var roundStart: String?
    @Option(
        help: .yesNo(
            "Whether answers that were cut at --max-new-tokens may be learned, with an end where they were cut; no unless given."))
    public var roundUnfinished: Bool?

    public init() {}
}
