/// Settings of rejection sampling in rounds (expert iteration): in each round the model answers the training prompts, the best
/// answers are kept, and supervised fine-tuning trains on them.
public struct RoundSettings: Settings {
    /// The number of rounds of sampling and training. Default: none; the model trains on the data set's own summaries.
    public var rounds: Int?
    /// The number of answers to every training prompt, of which the best by `rewardFunction` is kept. Default: 16.
    public var roundSamples: Int?
    /// The share of the prompts that is trained on: those with the best answers. Default: 1.
    public var roundShare: Double?
    /// The least reward of an answer that is trained on. Default: none.
    public var roundThreshold: Double?
    /// The model from which every round's training starts: current (the one that wrote the answers) or first. Default: current.
    public var roundStart: String?
    /// Whether answers truncated at `maxNewTokens` may be trained on; they get an end-of-sequence token where they were cut.
    /// Default: false.
    public var roundUnfinished: Bool?

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard let rounds else {
            guard self == RoundSettings() else {
                throw InvalidSetting(
                    "--round-samples, --round-share, --round-threshold, --round-start and --round-unfinished need --rounds")
            }
            return
        }
        guard (1...1000).contains(rounds) else { throw InvalidSetting("--rounds is \(rounds); expected a number from 1 to 1000") }
        guard (1...1_000_000).contains(roundSamples ?? 1) else {
            throw InvalidSetting("--round-samples is \(roundSamples ?? 0); expected a number from 1 to 1000000")
        }
        guard let share = roundShare ?? 1 as Double?, share > 0, share <= 1 else { throw InvalidSetting("--round-share must be in (0, 1]") }
        guard ["current", "first"].contains(roundStart ?? "current") else {
            throw InvalidSetting("--round-start is '\(roundStart ?? "")'; expected current or first")
        }
    }
}
