/// What gives a response its reward.
public struct RewardSettings: Settings {
    /// summarisation (a reward model, `rfModelDir`), sentiment (a classifier's probability, `rfModelDir`), rouge, bleu, token-id,
    /// length, compression, pattern, process (a program of your own, `scorerCommand`), or check (whether the answer to a generated instruction is
    /// right, or equals the reference). Several, each once, with weights, are added: `summarisation:1,length:-0.2`.
    public var rewardFunction = "summarisation"
    /// The reward model: a model folder or a run folder; or the folder of a sequence classifier, such as a published reward model.
    public var rfModelDir: String?
    /// Of a classifier with several labels: the one that counts, by name or number. For sentiment 1, the positive one, unless given.
    public var rewardLabel: String?
    /// How a classifier reads prompt and response: chat (messages, by its chat template), pair (two texts) or text (joined). Unless given, as it
    /// is meant: chat where it has a template, pair for encoders.
    public var rewardFormat: String?
    /// Reward token-id: ids above this count.
    public var tokenIdRfThreshold: Int32 = 25_000
    /// Reward length: the wanted number of words; the more the better unless given.
    public var rewardWords: Int?
    /// Reward pattern: the regular expression that a response should match.
    public var rewardPattern: String?
    /// Reward process: a shell command that reads and writes JSON lines, as Docs/porting.md says.
    public var scorerCommand: String?
    /// Reward process: seconds of silence after which the scorer is started again.
    public var scorerPatience = 600.0
    /// What a reward model reads: ids (the policy's own tokens), or text (read anew with its own tokenizer), as the original does.
    public var rewardInput: String?
    /// Where a reward model's score is read: last-token, or padding-count as the original does.
    public var scorePosition: String?
    /// Whether the head has a tanh, if its folder does not say so: in train-ppo the policy's value head, in other programs the reward
    /// model's.
    public var valueHeadActivation = false

    /// The defaults.
    public init() {}

    /// The names of the reward functions.
    static let functions = [
        "summarisation", "rouge", "bleu", "token-id", "sentiment", "length", "compression", "pattern", "process", "check",
    ]

    /// The reward functions with their weights.
    /// - Throws: `InvalidSetting` for names that are unknown or given twice, and weights that are no numbers.
    package var parts: [(name: String, weight: Double)] {
        get throws {
            var result: [(name: String, weight: Double)] = []
            for word in rewardFunction.split(separator: ",", omittingEmptySubsequences: false) {
                let pieces = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let name = SettingName.canonical(pieces[0].filter { $0 != " " })
                guard Self.functions.contains(name) else {
                    let nearest = NearestName.find(name, among: Self.functions).map { "; did you mean \($0)?" } ?? ""
                    throw InvalidSetting(
                        "--reward-function is '\(rewardFunction)'; it takes \(Self.functions.joined(separator: ", "))\(nearest)")
                }
                guard let weight = pieces.count == 1 ? 1 : Double(pieces[1]), abs(weight) <= 1e30 else {
                    throw InvalidSetting("--reward-function is '\(rewardFunction)'; a weight is a number, such as \(name):0.5")
                }
                guard !result.contains(where: { $0.name == name }) else {
                    throw InvalidSetting("--reward-function names \(name) twice; each counts once")
                }
                result.append((name, weight))
            }
            return result
        }
    }

    public func validate() throws {
        let names = try parts.map(\.name)
        for (option, name, value) in [
            ("a classifier's folder, --rf-model-dir", "sentiment", rfModelDir), ("--reward-pattern", "pattern", rewardPattern),
            ("--scorer-command", "process", scorerCommand),
        ] where names.contains(name) && value == nil {
            throw InvalidSetting("--reward-function \(name) needs \(option)")
        }
        guard scorerPatience > 0 else { throw InvalidSetting("--scorer-patience must be above 0") }
        for (option, value, words) in [
            ("--reward-input", rewardInput, ["ids", "text"]),
            ("--reward-format", rewardFormat, ["chat", "pair", "text"]),
            ("--score-position", scorePosition, ["last-token", "padding-count"]),
        ] {
            guard let value, !words.contains(SettingName.canonical(value)) else { continue }
            throw InvalidSetting("\(option) is '\(value)'; it takes \(words.joined(separator: " or "))")
        }
    }
}
