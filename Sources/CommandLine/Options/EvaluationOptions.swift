public import ArgumentParser
public import Study

/// What is evaluated during a run and at its end.
public struct EvaluationOptions: SettingsOptions {
    public typealias Values = EvaluationSettings

    @Option(help: .yesNo("Train the model. Otherwise it is evaluated and saved unchanged."))
    public var doTrain = Self.defaults.doTrain
    @Option(
        help: .yesNo(
            """
            Evaluate --evaluation-splits at the end. In supervised training it also decides whether every evaluation generates and \
            measures texts. Default: true for reward models, false for supervised training.
            """))
    public var doEval: Bool?
    @Option(help: "Splits to evaluate at the end. Default: those of train, validation, test, full_… and ood_… that the data set has.")
    public var evaluationSplits = ArgumentList(Self.defaults.evaluationSplits)
    @Option(help: "Rows of an evaluation batch. --training-evaluation-batches and --validation-evaluation-batches count such batches.")
    public var perDeviceEvalBatchSize = Self.defaults.perDeviceEvalBatchSize
    @Option(help: "Batches of training rows per evaluation. The rows are random. Default: none.")
    public var trainingEvaluationBatches: Int?
    @Option(help: "Batches of validation rows per evaluation. The rows are random. Default: the first --target-eval-datapoints rows.")
    public var validationEvaluationBatches: Int?

    public init() {}

    /// Other names of options.
    public static let aliases = ["training": "do-train", "evaluate": "do-eval"]
}
