import Eval
public import Study
/// Which rows are scored by which reward model, and where the scores go.
public struct ScoringSettings: Settings {
    /// The reward model: a model folder or a run folder; or the folder of a sequence classifier, such as a published reward model.
    public var modelName: String?
    /// In place of a model a reward that needs none: check, rouge, bleu, length or compression.
    public var rewardFunction: String?
    /// Of a classifier with several labels: the one that counts, by name or number.
    public var rewardLabel: String?
    /// How a classifier reads prompt and response: chat, pair or text; as it is meant unless given.
    public var rewardFormat: String?
    /// What is scored: a JSONL file of rows with input and response, or a run, by id or path.
    public var score: String = ""
    /// Of a run: its tables, all unless given.
    public var tableNames: [String] = []
    /// The name of the new column.
    public var scoreColumn = "proxy_reward"
    /// Of a file: where the scored rows go; FILE with .scored before its ending unless given.
    public var scoreOutput: String?
    /// Whether the head has a tanh, if its folder does not say so.
    public var valueHeadActivation = false
    /// Where scores are read: last-token, or padding-count as the original does.
    public var scorePosition: String?
    /// The text that the model reads: canonical (one space before the answer), or raw as the original's.
    public var rewardText: String?
    /// Tokens of a prompt at most; longer texts are cut to it and `maxTargetLength` together.
    public var maxSourceLength = 1024
    /// Tokens of an answer at most.
    public var maxTargetLength = 1024
    /// Whether texts are treated as the original does, where no option says otherwise.
    public var referenceCompatible = false

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard (modelName == nil) != (rewardFunction == nil) else {
            throw InvalidSetting(
                "name what scores: a reward model by --model-name, or --reward-function check, rouge, bleu, length or compression")
        }
        if let rewardFunction, !Self.functions.contains(SettingName.canonical(rewardFunction)) {
            throw InvalidSetting("--reward-function is '\(rewardFunction)'; it takes \(Self.functions.joined(separator: ", ")) here")
        }
        guard scorePosition.map({ ["last-token", "padding-count"].contains(SettingName.canonical($0)) }) ?? true else {
            throw InvalidSetting("--score-position is '\(scorePosition ?? "")'; it takes last-token or padding-count")
        }
        guard rewardFormat.map({ ClassifierReward.Format(rawValue: SettingName.canonical($0)) != nil }) ?? true else {
            throw InvalidSetting("--reward-format is '\(rewardFormat ?? "")'; it takes chat, pair or text")
        }
        guard !ScoredRow.ownColumns.contains(scoreColumn) else {
            throw InvalidSetting("--score-column is '\(scoreColumn)', which rows have already; choose another name")
        }
        try data.validate()
    }

    private static let functions = ["check", "rouge", "bleu", "length", "compression"]

    /// How texts are read.
    var data: DataSettings {
        var data = DataSettings()
        (data.rewardText, data.referenceCompatible) = (rewardText, referenceCompatible)
        (data.maxSourceLength, data.maxTargetLength) = (maxSourceLength, maxTargetLength)
        return data
    }
}
