import Data

/// What is evaluated during a run and at its end.
public struct EvaluationSettings: Settings {
    /// Whether the model is trained; without it, it is evaluated and saved as it is.
    public var doTrain = true
    /// Whether the splits below are evaluated at the end, and in supervised training whether texts are generated and measured, there and
    /// in every evaluation; unless given, true for reward models and false for supervised training.
    public var doEval: Bool?
    /// Splits that are evaluated at the end; unless given, those of train, validation, test, full_… and ood_… that there are.
    public var evaluationSplits: [String] = []
    /// Rows of an evaluation batch, which the two options below count in.
    public var perDeviceEvalBatchSize = 8
    /// Batches of random training rows in every evaluation; none unless given.
    public var trainingEvaluationBatches: Int?
    /// Batches of random validation rows in every evaluation; the first `targetEvalDatapoints` rows unless given.
    public var validationEvaluationBatches: Int?

    /// The defaults.
    public init() {}

    public func validate() throws {
        for (name, value) in [
            ("--training-evaluation-batches", trainingEvaluationBatches),
            ("--validation-evaluation-batches", validationEvaluationBatches),
            ("--per-device-eval-batch-size", perDeviceEvalBatchSize),
        ] where value.map({ $0 <= 0 }) ?? false {
            throw InvalidSetting("\(name) must be above 0")
        }
    }

    /// The rows of a split that an evaluation during training looks at: a random draw without replacement where a number of batches is
    /// given, one draw for the whole run.
    func rows<Row>(_ rows: [Row], of split: String, otherwise count: Int, seed: UInt64) throws -> [Row] {
        let batches =
            split == "train" ? trainingEvaluationBatches : split == "validation" ? validationEvaluationBatches : nil
        guard let batches else { return split == "train" ? [] : Array(rows.prefix(count)) }
        guard !rows.isEmpty else { return [] }
        var order = try BatchOrder(
            seed: seed &+ 2, count: rows.count, batchSize: min(rows.count, batches * perDeviceEvalBatchSize))
        return order.next().map { rows[$0] }
    }

    /// Whether supervised training generates texts.
    var generates: Bool { doEval ?? false }

    /// The splits that are evaluated at the end.
    func finalSplits(in corpus: SummaryCorpus, data: DataSettings, note: (String) -> Void) throws -> [String] {
        guard evaluationSplits.isEmpty else {
            return try data.present(evaluationSplits, in: corpus, note: note)
        }
        return Self.usual.filter { corpus.availableSplits.contains($0) }
    }

    /// Those of some splits that the options name for the end of a run.
    /// - Throws: `DataError.unknownSplit` for a name that no data set has.
    func finalSplits(among splits: [String]) throws -> [String] {
        let named = evaluationSplits
        if let unknown = named.first(where: { !SummaryCorpus.splitNames.contains($0) }) {
            throw DataError.unknownSplit(unknown, available: SummaryCorpus.splitNames)
        }
        guard doEval ?? true else { return [] }
        return splits.filter { named.isEmpty || named.contains($0) }
    }

    /// The original's final evaluations.
    static let usual = ["train", "validation", "test", "full_validation", "ood_validation", "full_test", "ood_test"]
}
