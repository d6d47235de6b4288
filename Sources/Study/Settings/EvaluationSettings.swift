import Data

/// Settings of the evaluations during a run and at its end.
public struct EvaluationSettings: Settings {
    /// Whether the model is trained. Otherwise it is evaluated and saved unchanged.
    public var doTrain = true
    /// Whether `evaluationSplits` are evaluated at the end. In supervised training it also decides whether every evaluation
    /// generates and measures texts. Default: true for reward models, false for supervised training.
    public var doEval: Bool?
    /// The splits that are evaluated at the end. Default: those of train, validation, test, full_… and ood_… that the data set
    /// has.
    public var evaluationSplits: [String] = []
    /// Rows of an evaluation batch; `trainingEvaluationBatches` and `validationEvaluationBatches` count such batches.
    public var perDeviceEvalBatchSize = 8
    /// The number of batches of random training rows in every evaluation. Default: none.
    public var trainingEvaluationBatches: Int?
    /// The number of batches of random validation rows in every evaluation. Default: the first `targetEvalDatapoints` rows.
    public var validationEvaluationBatches: Int?

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        for (name, value) in [
            ("--training-evaluation-batches", trainingEvaluationBatches),
            ("--validation-evaluation-batches", validationEvaluationBatches),
            ("--per-device-eval-batch-size", perDeviceEvalBatchSize),
        ] where value.map({ $0 <= 0 }) ?? false {
            throw InvalidSetting("\(name) must be above 0")
        }
    }

    /// The rows of a split that evaluations during training use. If a number of batches is given, they are drawn at random
    /// without replacement, once for the whole run.
    func rows<Row>(_ rows: [Row], of split: String, otherwise count: Int, seed: UInt64) throws -> [Row] {
        let batches =
            split == "train" ? trainingEvaluationBatches : split == "validation" ? validationEvaluationBatches : nil
        guard let batches else { return split == "train" ? [] : Array(rows.prefix(count)) }
        guard !rows.isEmpty else { return [] }
        var order = try BatchOrder(
            seed: seed &+ 2, count: rows.count, batchSize: min(rows.count, batches * perDeviceEvalBatchSize))
        return order.next().map { rows[$0] }
    }

    /// Whether supervised training generates texts in evaluations.
    var generates: Bool { doEval ?? false }

    /// The splits that are evaluated at the end, among those of a corpus.
    func finalSplits(in corpus: SummaryCorpus, data: DataSettings, note: (String) -> Void) throws -> [String] {
        guard evaluationSplits.isEmpty else {
            return try data.present(evaluationSplits, in: corpus, note: note)
        }
        return Self.usual.filter { corpus.availableSplits.contains($0) }
    }

    /// The splits among the given ones that are evaluated at the end.
    /// - Throws: `DataError.unknownSplit` for a name that no data set has.
    func finalSplits(among splits: [String]) throws -> [String] {
        let named = evaluationSplits
        if let unknown = named.first(where: { !SummaryCorpus.splitNames.contains($0) }) {
            throw DataError.unknownSplit(unknown, available: SummaryCorpus.splitNames)
        }
        guard doEval ?? true else { return [] }
        return splits.filter { named.isEmpty || named.contains($0) }
    }

    /// The splits that the original code evaluates at the end.
    static let usual = ["train", "validation", "test", "full_validation", "ood_validation", "full_test", "ood_test"]
}
