public import ArgumentParser
public import Report

/// Which rows are scored by which reward model, and where the scores go.
public struct ScoringOptions: SettingsOptions {
    public typealias Values = ScoringSettings

    @Option(
        help: "The reward model: a model folder or a run folder; or the folder of a sequence classifier, such as a published reward model.",
        completion: .file())
    public var modelName: String?
    @Option(help: "In place of a model a reward that needs none: check, rouge, bleu, length or compression.")
    public var rewardFunction: String?
    @Option(help: "Of a classifier with several labels: the one that counts, by name or number.")
    public var rewardLabel: String?
    @Option(help: "How a classifier reads prompt and response: chat, pair or text; as it is meant unless given.")
    public var rewardFormat: String?
    @Option(help: "What is scored: a JSONL file of rows with input and response, or a run, by id or path.")
    public var score: String
    @Option(help: "Of a run: its tables, all unless given.")
    public var tableNames = ArgumentList(Self.defaults.tableNames)
    @Option(help: "The name of the new column.")
    public var scoreColumn = Self.defaults.scoreColumn
    @Option(help: "Of a file: where the scored rows go; FILE with .scored before its ending unless given.", completion: .file())
    public var scoreOutput: String?
    @Option(help: .yesNo("Whether the head has a tanh, if its folder does not say so."))
    public var valueHeadActivation = Self.defaults.valueHeadActivation
    @Option(help: "Where scores are read: last-token, or padding-count as the original does.")
    public var scorePosition: String?
    @Option(help: "The text that the model reads: canonical (one space before the answer), or raw as the original's.")
    public var rewardText: String?
    @Option(help: "Tokens of a prompt at most; longer texts are cut to it and --max-target-length together.")
    public var maxSourceLength = Self.defaults.maxSourceLength
    @Option(help: "Tokens of an answer at most.")
    public var maxTargetLength = Self.defaults.maxTargetLength
    @Option(help: .yesNo("Whether texts are treated as the original does, where no option says otherwise."))
    public var referenceCompatible = Self.defaults.referenceCompatible

    public init() {}

    /// Other names of options.
    public static let aliases = [
        "analyse-run-id": "score", "rf-model-dir": "model-name", "table-name": "table-names",
    ]

    /// Options of the original that mean nothing here.
    public static let ignored = [
        IgnoredOption("infer-batch-size", .value, "texts are scored in passes of a fixed number of tokens")
    ]
}
