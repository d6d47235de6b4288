public import ArgumentParser
public import Study

/// What is read, and how it becomes tokens.
public struct DataOptions: SettingsOptions {
    public typealias Values = DataSettings

    @Option(
        help: """
            Data set: a name, a folder or a run's table. Names: generated (a built-in corpus of short posts), instructions (built-in \
            tasks whose answers are checked), debian (the package \
            descriptions in this machine's apt lists), summarisation and cnndm (published sets in --data-dir). A folder has one file per \
            split: JSONL, JSON or CSV, optionally with .gz. A table holds the answers of a finished run to train on, such as \
            runs/bon:train_best_of_n. Default: summarisation if --data-dir is given, otherwise generated.
            """, completion: .file())
    public var dataset: String?
    @Option(
        help: """
            Folder of the published data sets. Each is in a subfolder with its name, exported as described in Docs/data.md. Default: data.
            """, completion: .directory)
    public var dataDir: String?
    @Option(help: "File of training rows. It replaces the data set's own. Default: none.", completion: .file())
    public var trainFile: String?
    @Option(help: "File of validation rows. It replaces the data set's own. Default: none.", completion: .file())
    public var validationFile: String?
    @Option(help: "File of test rows. It replaces the data set's own. Default: none.", completion: .file())
    public var testFile: String?
    @Option(help: "File of out-of-distribution validation rows. It replaces the data set's own. Default: none.", completion: .file())
    public var oodValidationFile: String?
    @Option(help: "File of out-of-distribution test rows. It replaces the data set's own. Default: none.", completion: .file())
    public var oodTestFile: String?
    @Option(
        help: """
            Format of the rows in files. One of posts, comparisons, messages, conversations, prompt-completion, prompt, alpaca, \
            preference, ultrafeedback, unpaired, alpaca-preference, hh or hh-messages (Docs/data.md). Default: detected from the first row \
            of each file.
            """)
    public var dataFormat: String?
    @Option(help: .yesNo("Use the larger set of summarisation prompts. That set is openai-tldr-filtered-queries."))
    public var summarisationDatasetQueries = Self.defaults.summarisationDatasetQueries
    @Option(
        help: """
            Out-of-distribution data set. Its splits become ood_train, ood_validation and ood_test. It is cnndm or a folder. Default: \
            none.
            """, completion: .file())
    public var evalDataset: String?
    @Option(
        help: """
            Percentage of rows to use, drawn at random. It applies to training and validation rows; 10 or 50 in the original. Default: all \
            rows.
            """)
    public var datasetRandomSubset: Int?
    @Option(
        help: """
            How a random subset is drawn. Either without-replacement, or with-replacement as in the original. Default: \
            without-replacement; with --reference-compatible, with-replacement.
            """)
    public var randomSubsetDrawing: String?
    @Option(
        help: """
            Property of the rows to keep. The other rows form ood_ splits, and all rows form full_ splits. One of relationship_advice, \
            AskReddit, relationships, tifu, dating_advice, subreddit:NAME, length (at most 245 words), length:WORDS or sentiment. Default: \
            none.
            """)
    public var datasetStructuredSubset: String?
    @Option(
        help: """
            Column that marks rows out of distribution. Rows with one of --ood-values in this column form the ood_ splits of their files. \
            Default: none.
            """)
    public var oodColumn: String?
    @Option(help: "Values that mark rows out of distribution. They are values of --ood-column, separated by commas.")
    public var oodValues = ArgumentList(Self.defaults.oodValues)
    @Option(
        help: """
            Rows of the sentiment subset. A JSON map from split to row numbers, or a folder with one .npy file per split. Default: none.
            """, completion: .file())
    public var sentimentIndex: String?
    @Option(
        help: """
            Comparisons to use, by their batch. Either any, a text that the batch must contain, or ! followed by a text that it must not \
            contain. Default: cnndm for cnndm, !cnndm for summarisation, any for folders.
            """)
    public var comparisonsBatch: String?
    @Option(
        help: """
            Action on invalid rows: fail or skip. With fail, the program stops and names the first one; with skip, they are left out and \
            counted.
            """)
    public var onBadRow = Self.defaults.onBadRow
    @Option(
        help: """
            How rows with messages become text. A file with a chat template, which a trained model then keeps, or none to join the texts \
            of the messages. Default: the model's own template.
            """, completion: .file())
    public var chatTemplate: String?
    @Option(help: "Seed of a generated corpus. For a corpus that is read from apt, it is the seed of the split.")
    public var dataSeed = Self.defaults.dataSeed
    @Option(help: "Maximum number of training examples. Default: all.")
    public var maxTrainExamples: Int?
    @Option(help: "Number of examples of each evaluated split.")
    public var targetEvalDatapoints = Self.defaults.targetEvalDatapoints
    @Option(help: "Maximum number of prompt tokens. Longer prompts are truncated from the left.")
    public var maxSourceLength = Self.defaults.maxSourceLength
    @Option(help: "Maximum number of reference summary tokens.")
    public var maxTargetLength = Self.defaults.maxTargetLength
    @Option(
        help: """
            How long examples are truncated. Either apart (prompt and summary separately), or whole-text as in the original. Default: \
            apart; with --reference-compatible, whole-text.
            """)
    public var sftTruncation: String?
    @Option(
        help: """
            Text format for reward models. Either canonical (one space before the summary), or raw as in the original. Default: canonical; \
            with --reference-compatible, raw.
            """)
    public var rewardText: String?
    @Option(help: .yesNo("Treat data as in the original code. It applies wherever no option says otherwise."))
    public var referenceCompatible = Self.defaults.referenceCompatible

    public init() {}

    /// Other names of options: as people may remember them, and as other programs call them.
    public static let aliases = [
        "dataset-random-split": "dataset-random-subset", "dataset-structure": "dataset-structured-subset",
        "dataset-structured-split": "dataset-structured-subset", "sentiment-index-file": "sentiment-index",
        "max-train-samples": "max-train-examples",
    ]

    /// `--chat-template none` is a separate choice.
    public static let valuesOfNone = ["chat-template": "none"]
}
