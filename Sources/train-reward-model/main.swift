import ArgumentParser
import Runs

/// `train-reward-model`: a model that scores summaries.
struct TrainRewardModel: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-reward-model",
        abstract: "Trains a reward model on pairs of summaries, given or simulated.",
        discussion: """
            Where the data set has posts and no comparisons, summaries are drawn from the supervised model and compared by a hidden judge \
            that knows the reference; the comparisons stay in the run folder. The model is in final/, and in final-normalised/ with scores \
            of mean 0 and deviation 1.

            \(Program.spellings)

            On simulated comparisons, then on the published ones:

              train-reward-model --model-name runs/sft --dataset generated
              train-reward-model --model-name runs/sft --data-dir data
            """)

    @OptionGroup(title: "Model and comparisons") var preferences: PreferenceOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "The finished model") var saving: SavingOptions
    @OptionGroup(title: "Run") var runs: RunOptions

    mutating func run() throws {
        try RewardJob(
            run: runs, data: data, preferences: preferences, training: training, sampling: sampling,
            evaluation: evaluation, saving: saving, resolved: resolvedOptions)()
    }
}

Program.main(TrainRewardModel.self)
