public import ArgumentParser
public import Study

/// What is evaluated during a run and at its end.
public struct EvaluationOptions: SettingsOptions {
    public typealias Values = EvaluationSettings

    @Option(help: .yesNo("Whether the model is trained; without it, it is evaluated and saved as it is."))
    public var doTrain = Self.defaults.doTrain
    @Option(
        help: .yesNo(
            """
            Whether the splits below are evaluated at the end, and in supervised training whether texts are generated and measured, \
            there and in every evaluation; unless given, true for reward models and false for supervised training.
            """))
    public var doEval: Bool?
    @Option(
        help:
            "Splits that are evaluated at the end; unless given, those of train, validation, test, full_… and ood_… that there are."
    )
    public var evaluationSplits = ArgumentList(Self.defaults.evaluationSplits)
    @Option(help: "Rows of an evaluation batch, which the two options below count in.")
    public var perDeviceEvalBatchSize = Self.defaults.perDeviceEvalBatchSize
    @Option(help: "Batches of random training rows in every evaluation; none unless given.")
    public var trainingEvaluationBatches: Int?
    @Option(
        help:
            "Batches of random validation rows in every evaluation; the first --target-eval-datapoints rows unless given."
    )
    public var validationEvaluationBatches: Int?

    public init() {}

    /// Other names of options.
    public static let aliases = ["training": "do-train", "evaluate": "do-eval"]
}
