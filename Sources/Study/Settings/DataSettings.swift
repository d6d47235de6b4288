import Formats
package import Data

/// What is read, and how it becomes tokens.
public struct DataSettings: Settings {
    /// generated (a built-in corpus of short posts), debian (the package descriptions in this machine's apt lists), summarisation or
    /// cnndm (published sets in `dataDir`), or a folder with one file per split: JSONL, JSON or CSV, also with .gz; or a finished run's
    /// table of answers to learn, `runs/bon:train_best_of_n`. Unless given, summarisation if there is a `dataDir`, else generated.
    public var dataset: String?
    /// The folder of the published sets, each in a folder of its own name, exported as Docs/data.md says; data unless given.
    public var dataDir: String?
    /// A file of training rows, in place of the data set's own.
    public var trainFile: String?
    /// A file of validation rows, in place of the data set's own.
    public var validationFile: String?
    /// A file of test rows, in place of the data set's own.
    public var testFile: String?
    /// A file of validation rows out of distribution, in place of the data set's own.
    public var oodValidationFile: String?
    /// A file of test rows out of distribution, in place of the data set's own.
    public var oodTestFile: String?
    /// How the rows of files are written: posts, comparisons, messages, conversations, prompt-completion, prompt, alpaca, preference,
    /// ultrafeedback, unpaired, alpaca-preference, hh or hh-messages (Docs/data.md); found from the first row of each file unless given.
    public var dataFormat: String?
    /// Whether summarisation means the larger set of prompts, openai-tldr-filtered-queries.
    public var summarisationDatasetQueries = false
    /// Another data set whose splits become ood_train, ood_validation and ood_test: cnndm or a folder.
    public var evalDataset: String?
    /// Per cent of the training and validation rows to use, drawn at random; 10 or 50 in the original.
    public var datasetRandomSubset: Int?
    /// How a random subset is drawn: without-replacement, or with-replacement as the original does.
    public var randomSubsetDrawing: String?
    /// Keeps the rows that have a property, and makes ood_ and full_ splits of the others and of all: relationship_advice, AskReddit,
    /// relationships, tifu, dating_advice, subreddit:NAME, length (245 words at most), length:WORDS, or sentiment.
    public var datasetStructuredSubset: String?
    /// A column of the rows: those with one of `oodValues` in it become the ood_ splits of their files.
    public var oodColumn: String?
    /// The texts in that column that make a row out of distribution.
    public var oodValues: [String] = []
    /// The rows of the sentiment subset: a JSON map from split to row numbers, or a folder with one .npy per split.
    public var sentimentIndex: String?
    /// Comparisons to use, by their batch: any, a text that it contains, or ! and one that it must not; unless given, cnndm for cnndm,
    /// !cnndm for summarisation, any for folders.
    public var comparisonsBatch: String?
    /// What happens to rows that break the format: fail (stop and name the first) or skip (leave out and count).
    public var onBadRow = "fail"
    /// What makes texts of rows that hold messages: a file with a chat template, which a trained model then keeps, or none to join the texts
    /// of the messages; unless given, the model's own template.
    public var chatTemplate: String?
    /// The seed of a generated corpus, or of the split of one that is read from apt.
    public var dataSeed: UInt64 = 0
    /// Training examples to use at most; all unless given.
    public var maxTrainExamples: Int?
    /// Examples of each evaluated split.
    public var targetEvalDatapoints = 500
    /// Tokens of a prompt at most; longer ones lose their beginning.
    public var maxSourceLength = 1024
    /// Tokens of a reference summary at most.
    public var maxTargetLength = 1024
    /// How long examples are cut: apart (prompt and summary), or whole-text as the original does.
    public var sftTruncation: String?
    /// The text that reward models learn: canonical (one space before the summary), or raw as the original's.
    public var rewardText: String?
    /// Whether data are treated in every respect as the original does, where no option says otherwise.
    public var referenceCompatible = false

    /// The defaults.
    public init() {}

    /// The data set, given or not.
    package var datasetName: String { dataset ?? (dataDir == nil ? "generated" : "summarisation") }

    public func validate() throws {
        guard maxTrainExamples.map({ $0 > 0 }) ?? true else {
            throw InvalidSetting("--max-train-examples must be above 0")
        }
        guard maxSourceLength > 0 else { throw InvalidSetting("--max-source-length must be above 0") }
        guard maxTargetLength > 0 else { throw InvalidSetting("--max-target-length must be above 0") }
        guard targetEvalDatapoints > 0 else { throw InvalidSetting("--target-eval-datapoints must be above 0") }
        guard datasetRandomSubset.map({ (1...100).contains($0) }) ?? true else {
            throw InvalidSetting("--dataset-random-subset takes a percentage from 1 to 100")
        }
        guard evalDataset == nil || datasetStructuredSubset == nil || datasetRandomSubset != nil else {
            throw InvalidSetting(
                "--eval-dataset and --dataset-structured-subset both make the ood_ splits; choose one of them")
        }
        guard (oodColumn == nil) == oodValues.isEmpty else {
            throw InvalidSetting(
                "--ood-column and --ood-values belong together: rows with one of the values in the column are out of distribution")
        }
        for (option, isGiven) in [
            ("--dataset-structured-subset", datasetStructuredSubset != nil), ("--dataset-random-subset", datasetRandomSubset != nil),
            ("--eval-dataset", evalDataset != nil), ("--ood-validation-file", oodValidationFile != nil),
            ("--ood-test-file", oodTestFile != nil),
        ] where isGiven && oodColumn != nil {
            throw InvalidSetting(
                "--ood-column and \(option) both decide which rows there are in and out of distribution; choose one of them")
        }
        _ = try shape
        guard chatTemplate != "" else { throw InvalidSetting("--chat-template takes a file, or none") }
        _ = try compatibility
        guard BadRowPolicy(rawValue: onBadRow) != nil else {
            throw InvalidSetting("--on-bad-row is '\(onBadRow)'; it takes fail or skip")
        }
    }

    /// The shape of the rows that is named; nil where it is found from them.
    /// - Throws: `InvalidSetting` for a name that there is not.
    package var shape: RowShape? {
        get throws {
            guard let dataFormat else { return nil }
            let names = RowShape.builtIn.map(\.name)
            let name = SettingName.canonical(dataFormat)
            if let shape = RowShape.named(name) { return shape }
            let nearest = NearestName.find(name, among: names).map { "; did you mean \($0)?" } ?? ""
            throw InvalidSetting("--data-format is '\(dataFormat)'; it takes \(names.joined(separator: ", "))\(nearest)")
        }
    }

    /// Which way data are treated where the original's changes numbers.
    /// - Throws: `InvalidSetting` for an unknown word.
    package var compatibility: ReferenceCompatibility {
        get throws {
            var result = referenceCompatible ? ReferenceCompatibility.reference : .sane
            try Self.choose(randomSubsetDrawing, "--random-subset-drawing", &result.drawing)
            try Self.choose(sftTruncation, "--sft-truncation", &result.truncation)
            try Self.choose(rewardText, "--reward-text", &result.rewardText)
            return result
        }
    }

    /// The case that a word names, in any spelling; nothing is changed where no word is given.
    private static func choose<Choice: RawRepresentable & CaseIterable>(
        _ word: String?, _ option: String, _ choice: inout Choice
    ) throws where Choice.RawValue == String {
        guard let word else { return }
        let names = Choice.allCases.map { SettingName.canonical($0.rawValue) }
        guard
            let found = Choice.allCases.first(where: {
                SettingName.canonical($0.rawValue) == SettingName.canonical(word)
            })
        else { throw InvalidSetting("\(option) is '\(word)'; it takes \(names.joined(separator: " or "))") }
        choice = found
    }
}
