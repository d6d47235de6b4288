public import ArgumentParser
public import Report

/// Which rows are scored by which reward model, and where the scores go.
public struct ScoringOptions: SettingsOptions {
    public typealias Values = ScoringSettings

    @Option(
        help: """
            Reward model: a model, run or classifier folder. A classifier folder holds a sequence classifier, such as a published reward \
            model. Exactly one of this and --reward-function is required. Default: none.
            """, completion: .file())
    public var modelName: String?
    @Option(
        help: """
            Reward that needs no model. One of check, rouge, bleu, length or compression. It takes the place of --model-name. Default: \
            none.
            """)
    public var rewardFunction: String?
    @Option(help: "Label that counts, by name or number. It is for a classifier with several labels. Default: none.")
    public var rewardLabel: String?
    @Option(help: "Input format of a classifier. One of chat, pair or text. Default: derived from the model.")
    public var rewardFormat: String?
    @Option(help: "What to score: a JSONL file or a run. The file has rows with input and response; a run is named by ID or path.")
    public var score: String
    @Option(help: "Tables to score, if --score is a run. Default: all.")
    public var tableNames = ArgumentList(Self.defaults.tableNames)
    @Option(help: "Name of the column to add.")
    public var scoreColumn = Self.defaults.scoreColumn
    @Option(
        help: """
            Output file, if --score is a file. Default: the input file's name with .scored before its extension.
            """, completion: .file())
    public var scoreOutput: String?
    @Option(help: .yesNo("Apply a tanh in the value head. It counts only if the folder of the model does not say whether there is one."))
    public var valueHeadActivation = Self.defaults.valueHeadActivation
    @Option(
        help: """
            Position of scores. Either last-token, or padding-count as in the original. Default: last-token; with --reference-compatible, \
            padding-count.
            """)
    public var scorePosition: String?
    @Option(
        help: """
            Text format for the model. Either canonical (one space before the answer), or raw as in the original. Default: canonical; with \
            --reference-compatible, raw.
            """)
    public var rewardText: String?
    @Option(help: "Maximum number of prompt tokens. Longer texts are truncated to the sum of this and --max-target-length.")
    public var maxSourceLength = Self.defaults.maxSourceLength
    @Option(help: "Maximum number of answer tokens.")
    public var maxTargetLength = Self.defaults.maxTargetLength
    @Option(help: .yesNo("Treat texts as in the original code. It applies wherever no option says otherwise."))
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
