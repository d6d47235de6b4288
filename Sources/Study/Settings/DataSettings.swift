import Formats
package import Data

/// Settings of the data and its tokenisation.
public struct DataSettings: Settings {
    /// The data set: generated (a built-in corpus of short posts), debian (the package descriptions in this machine's apt lists),
    /// summarisation or cnndm (published data sets in `dataDir`), a folder with one file per split (JSONL, JSON or CSV,
    /// optionally with .gz), or a table of answers of a finished run, such as `runs/bon:train_best_of_n`. Default: summarisation
    /// if `dataDir` is given, otherwise generated.
    public var dataset: String?
    /// The folder of the published data sets, each in a subfolder with its name, exported as described in Docs/data.md. Default:
    /// data.
    public var dataDir: String?
    /// A file of training rows that replaces the data set's own.
    public var trainFile: String?
    /// A file of validation rows that replaces the data set's own.
    public var validationFile: String?
    /// A file of test rows that replaces the data set's own.
    public var testFile: String?
    /// A file of out-of-distribution validation rows that replaces the data set's own.
    public var oodValidationFile: String?
    /// A file of out-of-distribution test rows that replaces the data set's own.
    public var oodTestFile: String?
    /// The format of rows in files: posts, comparisons, messages, conversations, prompt-completion, prompt, alpaca, preference,
    /// ultrafeedback, unpaired, alpaca-preference, hh or hh-messages (Docs/data.md). Default: detected from the first row of each
    /// file.
    public var dataFormat: String?
    /// Whether summarisation means the larger set of prompts, openai-tldr-filtered-queries.
    public var summarisationDatasetQueries = false
    /// Another data set whose splits become ood_train, ood_validation and ood_test: cnndm or a folder.
    public var evalDataset: String?
    /// The percentage of training and validation rows to use, drawn at random; 10 or 50 in the original code.
    public var datasetRandomSubset: Int?
    /// How a random subset is drawn: without-replacement, or with-replacement as in the original code. Default:
    /// without-replacement, but with-replacement with `referenceCompatible`.
    public var randomSubsetDrawing: String?
    /// Keeps the rows with a property, and puts the other rows in ood_ splits and all rows in full_ splits. The property is
    /// relationship_advice, AskReddit, relationships, tifu, dating_advice, subreddit:NAME, length (at most 245 words),
    /// length:WORDS, or sentiment.
    public var datasetStructuredSubset: String?
    /// A column of the rows. Rows with one of `oodValues` in this column form the ood_ splits of their files.
    public var oodColumn: String?
    /// The values in `oodColumn` that mark a row as out of distribution.
    public var oodValues: [String] = []
    /// The rows of the sentiment subset: a JSON map from split to row numbers, or a folder with one .npy file per split.
    public var sentimentIndex: String?
    /// The comparisons to use, by their batch: any, a text that the batch must contain, or ! followed by a text that it must not
    /// contain. Default: cnndm for cnndm, !cnndm for summarisation, any for folders.
    public var comparisonsBatch: String?
    /// How invalid rows are handled: fail (stop and name the first one) or skip (leave out and count).
    public var onBadRow = "fail"
    /// How rows with messages become text: a file with a chat template, which a trained model then keeps, or none to join the
    /// texts of the messages. Default: the model's own template.
    public var chatTemplate: String?
    /// The seed of a generated corpus, or of the split of one that is read from apt.
    public var dataSeed: UInt64 = 0
    /// The maximum number of training examples. Default: all.
    public var maxTrainExamples: Int?
    /// The number of examples of each evaluated split.
    public var targetEvalDatapoints = 500
    /// The maximum number of prompt tokens. Longer prompts are truncated from the left.
    public var maxSourceLength = 1024
    /// The maximum number of tokens of a reference summary.
    public var maxTargetLength = 1024
    /// How examples are truncated: apart (prompt and summary separately), or whole-text as in the original code. Default: apart,
    /// but whole-text with `referenceCompatible`.
    public var sftTruncation: String?
    /// The text format for reward models: canonical (one space before the summary), or raw as in the original code. Default:
    /// canonical, but raw with `referenceCompatible`.
    public var rewardText: String?
    /// Whether data are treated as in the original code wherever no option says otherwise.
    public var referenceCompatible = false

    /// The defaults.
    public init() {}

    /// The name of the data set, given or by default.
    package var datasetName: String { dataset ?? (dataDir == nil ? "generated" : "summarisation") }

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard maxTrainExamples.map({ $0 > 0 }) ?? true else {
            throw InvalidSetting("--max-train-examples must be above 0")
        }
        guard maxSourceLength > 0 else { throw InvalidSetting("--max-source-length must be above 0") }
        guard maxTargetLength > 0 else { throw InvalidSetting("--max-target-length must be above 0") }
        guard targetEvalDatapoints > 0 else { throw InvalidSetting("--target-eval-datapoints must be above 0") }
        guard datasetRandomSubset.map({ (1...100).contains($0) }) ?? true else {
            throw InvalidSetting("--dataset-random-subset must be a percentage from 1 to 100")
        }
        guard evalDataset == nil || datasetStructuredSubset == nil || datasetRandomSubset != nil else {
            throw InvalidSetting(
                "--eval-dataset and --dataset-structured-subset both define the ood_ splits; choose one of them")
        }
        guard (oodColumn == nil) == oodValues.isEmpty else {
            throw InvalidSetting(
                "--ood-column and --ood-values must be given together: rows with one of these values in the column are out of distribution")
        }
        for (option, isGiven) in [
            ("--dataset-structured-subset", datasetStructuredSubset != nil), ("--dataset-random-subset", datasetRandomSubset != nil),
            ("--eval-dataset", evalDataset != nil), ("--ood-validation-file", oodValidationFile != nil),
            ("--ood-test-file", oodTestFile != nil),
        ] where isGiven && oodColumn != nil {
            throw InvalidSetting(
                "--ood-column and \(option) both define which rows are out of distribution; choose one of them")
        }
        _ = try shape
        guard chatTemplate != "" else { throw InvalidSetting("--chat-template is empty; expected a file, or none") }
        _ = try compatibility
        guard BadRowPolicy(rawValue: onBadRow) != nil else {
            throw InvalidSetting("--on-bad-row is '\(onBadRow)'; expected fail or skip")
        }
    }

    /// The row format that `dataFormat` names; nil if the format is detected.
    /// - Throws: `InvalidSetting` for an unknown name.
    package var shape: RowShape? {
        get throws {
            guard let dataFormat else { return nil }
            let names = RowShape.builtIn.map(\.name)
            let name = SettingName.canonical(dataFormat)
            if let shape = RowShape.named(name) { return shape }
            let nearest = NearestName.find(name, among: names).map { "; did you mean \($0)?" } ?? ""
            throw InvalidSetting("--data-format is '\(dataFormat)'; expected \(names.joined(separator: ", "))\(nearest)")
        }
    }

    /// Which behaviour of the original code applies where it affects results.
    /// - Throws: `InvalidSetting` for an unknown value.
    package var compatibility: ReferenceCompatibility {
        get throws {
            var result = referenceCompatible ? ReferenceCompatibility.reference : .sane
            try Self.choose(randomSubsetDrawing, "--random-subset-drawing", &result.drawing)
            try Self.choose(sftTruncation, "--sft-truncation", &result.truncation)
            try Self.choose(rewardText, "--reward-text", &result.rewardText)
            return result
        }
    }

    /// Sets a choice to the case that a word names, in any spelling. Without a word, the choice is unchanged.
    private static func choose<Choice: RawRepresentable & CaseIterable>(
        _ word: String?, _ option: String, _ choice: inout Choice
    ) throws where Choice.RawValue == String {
        guard let word else { return }
        let names = Choice.allCases.map { SettingName.canonical($0.rawValue) }
        guard
            let found = Choice.allCases.first(where: {
                SettingName.canonical($0.rawValue) == SettingName.canonical(word)
            })
        else { throw InvalidSetting("\(option) is '\(word)'; expected \(names.joined(separator: " or "))") }
        choice = found
    }
}
