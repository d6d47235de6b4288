import Eval
public import Study
/// Which rows to score with which reward, and where to write the scores.
public struct ScoringSettings: Settings {
    /// The reward model: a model folder, a run folder, or the folder of a sequence classifier such as a published reward model.
    /// Exactly one of this and `rewardFunction` is required.
    public var modelName: String?
    /// A reward that needs no model: `check`, `rouge`, `bleu`, `length` or `compression`.
    public var rewardFunction: String?
    /// The label whose score is used, by name or number, for a classifier with several labels.
    public var rewardLabel: String?
    /// How a classifier receives prompt and response: `chat`, `pair` or `text`. Default: derived from the model.
    public var rewardFormat: String?
    /// What to score: a JSONL file of rows with `input` and `response`, or a run, by ID or path.
    public var score: String = ""
    /// The tables to score, if `score` is a run. Default: all.
    public var tableNames: [String] = []
    /// The name of the column to add.
    public var scoreColumn = "proxy_reward"
    /// The output file, if `score` is a file. Default: the input file's name with `.scored` before its extension.
    public var scoreOutput: String?
    /// Whether the value head ends with a tanh activation, for folders that do not specify it.
    public var valueHeadActivation = false
    /// The position at which the score is read: `last-token`, or `padding-count` as in the reference implementation.
    public var scorePosition: String?
    /// The text that the model reads: `canonical` (one space before the answer), or `raw` as in the reference implementation.
    public var rewardText: String?
    /// The maximum number of tokens of a prompt. Longer texts are truncated to the sum of this and `maxTargetLength`.
    public var maxSourceLength = 1024
    /// The maximum number of tokens of an answer.
    public var maxTargetLength = 1024
    /// Whether texts are processed as in the reference implementation, for settings that are not given.
    public var referenceCompatible = false

    /// The defaults.
    public init() {}

    /// Checks that exactly one reward is named, and the range of every setting.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard modelName == nil || rewardFunction == nil else {
            throw InvalidSetting("--model-name and --reward-function cannot be combined; choose one of them")
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
            throw InvalidSetting("--score-column is '\(scoreColumn)', a column that rows already have; choose another name")
        }
        try data.validate()
        guard modelName != nil || rewardFunction != nil else {
            throw InvalidSetting(
                "choose what scores: a reward model (--model-name), or --reward-function \(Self.functions.joined(separator: ", "))",
                isMissing: true)
        }
    }

    private static let functions = ["check", "rouge", "bleu", "length", "compression"]

    /// The data settings that define how texts are read.
    var data: DataSettings {
        var data = DataSettings()
        (data.rewardText, data.referenceCompatible) = (rewardText, referenceCompatible)
        (data.maxSourceLength, data.maxTargetLength) = (maxSourceLength, maxTargetLength)
        return data
    }
}
