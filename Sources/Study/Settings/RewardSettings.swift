/// Settings of the reward of a response.
public struct RewardSettings: Settings {
    /// The reward function: summarisation (a reward model in `rfModelDir`), sentiment (the probability of a classifier in
    /// `rfModelDir`), rouge, bleu, token-id, length, compression, pattern, process (an external program, `scorerCommand`), or
    /// check (whether the answer to a generated instruction is correct, or equals the reference). Several functions with weights
    /// are added, each at most once: `summarisation:1,length:-0.2`.
    public var rewardFunction = "summarisation"
    /// The reward model: a model folder or a run folder, or the folder of a sequence classifier such as a published reward model.
    public var rfModelDir: String?
    /// The label that counts for a classifier with several labels, by name or number. Default for sentiment: 1, the positive
    /// label.
    public var rewardLabel: String?
    /// How prompt and response are presented to a classifier: chat (messages, with its chat template), pair (two texts) or text
    /// (joined). Default: pair for encoders, chat for a classifier with a chat template, otherwise text.
    public var rewardFormat: String?
    /// token-id: the threshold above which token IDs count.
    public var tokenIdRfThreshold: Int32 = 25_000
    /// length: the target number of words. Default: none; longer is better.
    public var rewardWords: Int?
    /// pattern: the regular expression that a response should match.
    public var rewardPattern: String?
    /// process: a shell command that reads and writes JSON lines, as described in Docs/porting.md.
    public var scorerCommand: String?
    /// process: the seconds without output after which the scorer is restarted.
    public var scorerPatience = 600.0
    /// The input of a reward model: ids (the policy's own tokens), or text (tokenised with the reward model's tokenizer), as in
    /// the original code. Default: ids, but text with `referenceCompatible`, with the padding count as position, or if the
    /// tokenizers differ.
    public var rewardInput: String?
    /// Where a reward model's score is read: last-token, or padding-count as in the original code. Default: last-token, but
    /// padding-count with `referenceCompatible`.
    public var scorePosition: String?
    /// Whether the value head applies a tanh, if its folder does not say so. In train-ppo this is the policy's value head, in
    /// other programs the reward model's.
    public var valueHeadActivation = false

    /// The defaults.
    public init() {}

    /// The names of the reward functions.
    static let functions = [
        "summarisation", "rouge", "bleu", "token-id", "sentiment", "length", "compression", "pattern", "process", "check",
    ]

    /// The reward functions with their weights.
    /// - Throws: `InvalidSetting` for an unknown or repeated name, or a weight that is not a number.
    package var parts: [(name: String, weight: Double)] {
        get throws {
            var result: [(name: String, weight: Double)] = []
            for word in rewardFunction.split(separator: ",", omittingEmptySubsequences: false) {
                let pieces = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let name = SettingName.canonical(pieces[0].filter { $0 != " " })
                guard Self.functions.contains(name) else {
                    let nearest = NearestName.find(name, among: Self.functions).map { "; did you mean \($0)?" } ?? ""
                    throw InvalidSetting(
                        "--reward-function is '\(rewardFunction)'; expected \(Self.functions.joined(separator: ", "))\(nearest)")
                }
                guard let weight = pieces.count == 1 ? 1 : Double(pieces[1]), abs(weight) <= 1e30 else {
                    throw InvalidSetting("--reward-function is '\(rewardFunction)'; expected a number as the weight, such as \(name):0.5")
                }
                guard !result.contains(where: { $0.name == name }) else {
                    throw InvalidSetting("--reward-function names \(name) twice; name each function once")
                }
                result.append((name, weight))
            }
            return result
        }
    }

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        let names = try parts.map(\.name)
        for (option, name, value) in [
            ("a classifier's folder, --rf-model-dir", "sentiment", rfModelDir), ("--reward-pattern", "pattern", rewardPattern),
            ("--scorer-command", "process", scorerCommand),
        ] where names.contains(name) && value == nil {
            throw InvalidSetting("--reward-function \(name) needs \(option)", isMissing: true)
        }
        guard scorerPatience > 0 else { throw InvalidSetting("--scorer-patience must be above 0") }
        for (option, value, words) in [
            ("--reward-input", rewardInput, ["ids", "text"]),
            ("--reward-format", rewardFormat, ["chat", "pair", "text"]),
            ("--score-position", scorePosition, ["last-token", "padding-count"]),
        ] {
            guard let value, !words.contains(SettingName.canonical(value)) else { continue }
            throw InvalidSetting("\(option) is '\(value)'; expected \(words.joined(separator: " or "))")
        }
    }
}
