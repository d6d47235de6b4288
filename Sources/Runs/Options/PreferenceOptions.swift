public import ArgumentParser

/// Where comparisons come from.
public struct PreferenceOptions: ProgramOptions {
    @Option(help: "The supervised model to start from: a model folder or a run folder.")
    public var modelName: String
    @Option(
        help: """
            The comparisons: summarisation, cnndm, or a folder with a file of them for each split (train, validation, ood_validation); \
            unless given those of --dataset, or simulated ones if that holds posts.
            """)
    public var comparisons: String?
    @Option(help: "Simulation: prompts of the training split that get comparisons.")
    public var simulatedPrompts = 2000
    @Option(help: "Simulation: prompts of each held-out split that get comparisons.")
    public var simulatedEvaluationPrompts = 300
    @Option(help: "Simulation: temperatures at which the supervised model writes summaries; the reference joins them.")
    public var simulatedTemperatures: ArgumentList<Double> = [0.7, 1, 1.3]
    @Option(help: "Simulation: summaries drawn for each prompt at each temperature.")
    public var samplesPerTemperature = 1
    @Option(help: "Simulation: pairs of each prompt's summaries.")
    public var pairsPerPrompt = 2
    @Option(help: "Simulation: pairs whose judged scores are closer than this are left out.")
    public var minimumMargin = 0.1
    @Option(help: "Simulation: the share of the training labels that are flipped.")
    public var flippedShare = 0.05
    @Option(help: "Simulation: what the hidden judge takes off a summary of twice the reference's length.")
    public var lengthWeight = 0.2
    @Option(
        help:
            "Weighs the square of a pair's summed scores in the loss, which draws every prompt's scores towards 0; 0.01 is usual."
    )
    public var centerRewardsCoefficient = 0.0
    @Option(
        help: .yesNo("Whether a copy with a normalised head (mean 0, deviation 1 on training pairs) is saved, too."))
    public var calculateNormalisation = true
    @Option(help: "The copy's folder in the run folder.")
    public var normalisationCheckpointDir = RewardJob.normalisedName
    @Option(
        help:
            "Also writes the model (normalised, if there is such a copy) as Transformers' sequence classifier with one label, into this folder of the run."
    )
    public var classifierDir: String?
    @Option(help: "A fresh head's scores are shifted by this.")
    public var valueNormalisation: Float = 0
    @Option(help: "A fresh head's shifted scores are divided by this.")
    public var valueNormalisationStd: Float = 1
    @Option(help: .yesNo("Whether the head has a tanh."))
    public var valueHeadActivation = false
    @Option(help: "Where scores are read: last-token, or padding-count as the original does.")
    public var scorePosition: String?
    @Option(help: "Validation comparisons to use at most, from the first.")
    public var evalSubsampleNum: Int?
    @Option(help: .yesNo("Whether predictions of the final evaluation are written, one CSV file a split."))
    public var savePreds = false
    @Option(
        help:
            "Scores with the reward model --model-name instead of training: a JSONL file of rows with input and response, or a run."
    )
    public var score: String?
    @Option(help: "With --score RUN: its tables, all unless given.")
    public var tableNames: ArgumentList<String> = []
    @Option(help: "With --score: the name of the new column.")
    public var scoreColumn = "proxy_reward"
    @Option(help: "With --score FILE: where the scored rows go; FILE with .scored before its ending unless given.")
    public var scoreOutput: String?

    public init() {}

    /// Other names of options.
    public static let aliases = [
        "analyse-run-id": "score", "rf-model-dir": "model-name", "table-name": "table-names",
    ]
    /// Options of the original that mean nothing here.
    public static let ignored = [
        IgnoredOption("infer-batch-size", .value, "texts are scored in passes of --tokens-per-pass")
    ]

    public func validate() throws {
        guard scorePosition.map({ ["last-token", "padding-count"].contains(OptionTable.canonical($0)) }) ?? true else {
            throw ValidationError("--score-position is '\(scorePosition ?? "")'; it takes last-token or padding-count")
        }
        guard !ScoredRow.ownColumns.contains(scoreColumn) else {
            throw ValidationError("--score-column is '\(scoreColumn)', which rows have already; choose another name")
        }
        for (option, name) in [
            ("--normalisation-checkpoint-dir", normalisationCheckpointDir), ("--classifier-dir", classifierDir ?? "model"),
        ] {
            do {
                try RunFolderError.checkResultName(name)
            } catch {
                throw ValidationError("\(option): \(error)")
            }
        }
        guard classifierDir != normalisationCheckpointDir else {
            throw ValidationError("--classifier-dir and --normalisation-checkpoint-dir must differ")
        }
        guard simulatedPrompts > 0, simulatedEvaluationPrompts > 0, samplesPerTemperature > 0, pairsPerPrompt > 0 else {
            throw ValidationError("the numbers of the simulation must be above 0")
        }
        guard !simulatedTemperatures.values.isEmpty, simulatedTemperatures.values.allSatisfy({ $0 >= 0 }) else {
            throw ValidationError("--simulated-temperatures takes numbers that are not negative")
        }
        guard evalSubsampleNum ?? 0 >= 0 else { throw ValidationError("--eval-subsample-num must not be negative") }
        guard (0...0.5).contains(flippedShare) else { throw ValidationError("--flipped-share must be in 0...0.5") }
        for (name, value) in [
            ("--length-weight", lengthWeight), ("--minimum-margin", minimumMargin),
            ("--center-rewards-coefficient", centerRewardsCoefficient),
        ] where value < 0 {
            throw ValidationError("\(name) must not be negative")
        }
    }
}
