public import ArgumentParser
public import Study

/// What is read, and how it becomes tokens.
public struct DataOptions: SettingsOptions {
    public typealias Values = DataSettings

    @Option(
        help: """
            generated (a built-in corpus of short posts), debian (the package descriptions in this machine's apt lists), summarisation \
            or cnndm (published sets in --data-dir), or a folder with one file per split: JSONL, JSON or CSV, also with .gz; or a finished \
            run's table of answers to learn, runs/bon:train_best_of_n. Unless given, summarisation if --data-dir is given, else generated.
            """, completion: .file())
    public var dataset: String?
    @Option(
        help:
            "The folder of the published sets, each in a folder of its own name, exported as Docs/data.md says; data unless given.",
        completion: .directory
    )
    public var dataDir: String?
    @Option(help: "A file of training rows, in place of the data set's own.", completion: .file())
    public var trainFile: String?
    @Option(help: "A file of validation rows, in place of the data set's own.", completion: .file())
    public var validationFile: String?
    @Option(help: "A file of test rows, in place of the data set's own.", completion: .file())
    public var testFile: String?
    @Option(help: "A file of validation rows out of distribution, in place of the data set's own.", completion: .file())
    public var oodValidationFile: String?
    @Option(help: "A file of test rows out of distribution, in place of the data set's own.", completion: .file())
    public var oodTestFile: String?
    @Option(
        help: """
            How the rows of files are written: posts, comparisons, messages, conversations, prompt-completion, prompt, alpaca, preference, \
            ultrafeedback, unpaired, alpaca-preference, hh or hh-messages (Docs/data.md); found from the first row of each file unless given.
            """)
    public var dataFormat: String?
    @Option(help: .yesNo("Whether summarisation means the larger set of prompts, openai-tldr-filtered-queries."))
    public var summarisationDatasetQueries = Self.defaults.summarisationDatasetQueries
    @Option(help: "Another data set whose splits become ood_train, ood_validation and ood_test: cnndm or a folder.", completion: .file())
    public var evalDataset: String?
    @Option(help: "Per cent of the training and validation rows to use, drawn at random; 10 or 50 in the original.")
    public var datasetRandomSubset: Int?
    @Option(help: "How a random subset is drawn: without-replacement, or with-replacement as the original does.")
    public var randomSubsetDrawing: String?
    @Option(
        help: """
            Keeps the rows that have a property, and makes ood_ and full_ splits of the others and of all: relationship_advice, \
            AskReddit, relationships, tifu, dating_advice, subreddit:NAME, length (245 words at most), length:WORDS, or sentiment.
            """)
    public var datasetStructuredSubset: String?
    @Option(help: "A column of the rows: those with one of --ood-values in it become the ood_ splits of their files.")
    public var oodColumn: String?
    @Option(help: "The texts in that column that make a row out of distribution, with commas between them.")
    public var oodValues = ArgumentList(Self.defaults.oodValues)
    @Option(
        help:
            "The rows of the sentiment subset: a JSON map from split to row numbers, or a folder with one .npy per split.",
        completion: .file()
    )
    public var sentimentIndex: String?
    @Option(
        help: """
            Comparisons to use, by their batch: any, a text that it contains, or ! and one that it must not; unless given, cnndm for \
            cnndm, !cnndm for summarisation, any for folders.
            """)
    public var comparisonsBatch: String?
    @Option(
        help:
            "What happens to rows that break the format: fail (stop and name the first) or skip (leave out and count).")
    public var onBadRow = Self.defaults.onBadRow
    @Option(
        help: """
            What makes texts of rows that hold messages: a file with a chat template, which a trained model then keeps, or none to join \
            the texts of the messages; unless given, the model's own template.
            """, completion: .file())
    public var chatTemplate: String?
    @Option(help: "The seed of a generated corpus, or of the split of one that is read from apt.")
    public var dataSeed = Self.defaults.dataSeed
    @Option(help: "Training examples to use at most; all unless given.")
    public var maxTrainExamples: Int?
    @Option(help: "Examples of each evaluated split.")
    public var targetEvalDatapoints = Self.defaults.targetEvalDatapoints
    @Option(help: "Tokens of a prompt at most; longer ones lose their beginning.")
    public var maxSourceLength = Self.defaults.maxSourceLength
    @Option(help: "Tokens of a reference summary at most.")
    public var maxTargetLength = Self.defaults.maxTargetLength
    @Option(help: "How long examples are cut: apart (prompt and summary), or whole-text as the original does.")
    public var sftTruncation: String?
    @Option(
        help: "The text that reward models learn: canonical (one space before the summary), or raw as the original's.")
    public var rewardText: String?
    @Option(
        help: .yesNo("Whether data are treated in every respect as the original does, where no option says otherwise."))
    public var referenceCompatible = Self.defaults.referenceCompatible

    public init() {}

    /// Other names of options: as people may remember them, and as other programs call them.
    public static let aliases = [
        "dataset-random-split": "dataset-random-subset", "dataset-structure": "dataset-structured-subset",
        "dataset-structured-split": "dataset-structured-subset", "sentiment-index-file": "sentiment-index",
        "max-train-samples": "max-train-examples",
    ]

    /// `--chat-template none` is a choice of its own.
    public static let valuesOfNone = ["chat-template": "none"]
}
