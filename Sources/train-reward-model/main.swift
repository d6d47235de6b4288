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
        abstract: "Trains a reward model on pairs of answers, given or simulated.",
        usage: "train-reward-model --model-name MODEL [options]",
        discussion: """
            Writes runs/rm: the model in final/, and in final-normalised/ with scores of
            mean 0 and standard deviation 1. Repeat the same command to resume.

            Without comparisons, pairs are simulated: answers are drawn from the model and
            ranked by a hidden judge that knows the reference answer.

            Simulated pairs:
              train-reward-model --model-name runs/sft --dataset generated
            Your own pairs, or those of the published TL;DR set:
              train-reward-model --model-name runs/sft --comparisons my-pairs
              train-reward-model --model-name runs/sft --data-dir data
            Pairs made from the scored answers of a run:
              train-reward-model --model-name runs/sft --comparisons bon:train \\
                --pairs margin --pair-margin 1
            """)

    @OptionGroup(title: "Model and comparisons") var comparisons: ComparisonOptions
    @OptionGroup(title: "Reward head") var head: RewardHeadOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "LoRA adapter") var adapter: AdapterOptions
    @OptionGroup(title: "Base model of an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "Saved model") var saving: SavingOptions
    @OptionGroup(title: "Tracking") var tracking: TrackingOptions
    @OptionGroup(title: "Run") var runs: RunOptions
    @OptionGroup(title: "Scoring, with the original's option names") var analysis: AnalysisOptions

    mutating func run() throws {
        if try !analysis.scores(resolvedOptions, .commandLine()) { try runStage() }
    }
}

Program.main(TrainRewardModel.self)
