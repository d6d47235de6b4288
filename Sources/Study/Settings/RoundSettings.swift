/// Rejection sampling before supervised fine-tuning, in rounds: the model answers the training prompts, the best answers are kept, and it
/// learns them (expert iteration).
public struct RoundSettings: Settings {
    /// Rounds of sampling and training; unless given, the model learns the data set's own summaries.
    public var rounds: Int?
    /// Answers to every training prompt, of which the best by `rewardFunction` is kept; 16 unless given.
    public var roundSamples: Int?
    /// The share of the prompts, those with the best answers, that is learned from; 1 unless given.
    public var roundShare: Double?
    /// The least reward of an answer that is learned; any unless given.
    public var roundThreshold: Double?
    /// The model that every round's training begins with: current (the one that has answered) or first; current unless given.
    public var roundStart: String?
    /// Whether answers that were cut at `maxNewTokens` may be learned; they are learned with an end where they were cut. No unless given.
    public var roundUnfinished: Bool?

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard let rounds else {
            guard self == RoundSettings() else {
                throw InvalidSetting(
                    "--round-samples, --round-share, --round-threshold, --round-start and --round-unfinished are for --rounds")
            }
            return
        }
        guard (1...1000).contains(rounds) else { throw InvalidSetting("--rounds is \(rounds); it takes 1 to 1000") }
        guard (1...1_000_000).contains(roundSamples ?? 1) else {
            throw InvalidSetting("--round-samples is \(roundSamples ?? 0); it takes 1 to 1000000")
        }
        guard let share = roundShare ?? 1 as Double?, share > 0, share <= 1 else { throw InvalidSetting("--round-share must be in (0, 1]") }
        guard ["current", "first"].contains(roundStart ?? "current") else {
            throw InvalidSetting("--round-start is '\(roundStart ?? "")'; it takes current or first")
        }
    }
}
