import ArgumentParser
import CommandLine
import Study

/// `train-reward-model`: a model that scores summaries.
struct TrainRewardModel: StageCommand {
    typealias Whole = RewardModelStage
    static let essentials = [
        "model-name", "comparisons", "dataset", "data-dir", "learning-rate", "num-train-epochs", "per-device-train-batch-size",
        "freeze-layers", "output-dir", "run-id",
    ]

    static let configuration = CommandConfiguration(
        commandName: "train-reward-model",
        abstract: "Trains a reward model on pairs of summaries, given or simulated.",
        usage: "train-reward-model --model-name MODEL [options]",
        discussion: """
            Where the data set has posts and no comparisons, summaries are drawn from the supervised model and compared by a hidden judge \
            that knows the reference; the comparisons stay in the run folder. The model is in final/, and in final-normalised/ with scores \
            of mean 0 and deviation 1.

            On simulated comparisons, on the published ones, on your own pairs, and on those of a run's scored answers:

              train-reward-model --model-name runs/sft --dataset generated
              train-reward-model --model-name runs/sft --data-dir data
              train-reward-model --model-name runs/sft --comparisons my-pairs
              train-reward-model --model-name runs/sft --comparisons bon:train \\
                --pairs margin --pair-margin 1

            \(Program.spellings)
            """)

    @OptionGroup(title: "Model and comparisons") var comparisons: ComparisonOptions
    @OptionGroup(title: "The head") var head: RewardHeadOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "A low-rank adapter") var adapter: AdapterOptions
    @OptionGroup(title: "A model with an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "The finished model") var saving: SavingOptions
    @OptionGroup(title: "Tracking") var tracking: TrackingOptions
    @OptionGroup(title: "Run") var runs: RunOptions
    @OptionGroup(title: "Scoring under the original's names") var analysis: AnalysisOptions

    mutating func run() throws {
        if try !analysis.scores(resolvedOptions, .commandLine()) { try runStage() }
    }
}

Program.main(TrainRewardModel.self)
