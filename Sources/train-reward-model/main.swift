import ArgumentParser
import Runs

/// `train-reward-model`: a model that scores summaries.
struct TrainRewardModel: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-reward-model",
        abstract: "Trains a reward model on pairs of summaries, given or simulated.",
        discussion: """
            Without --comparisons, summaries are drawn from the supervised model and compared by a hidden judge that knows the \
            reference; the comparisons stay in the run folder.
            """)

    static let aliases = DataOptions.aliases.merging(RunOptions.aliases) { $1 }.merging(SamplingArguments.aliases) {
        $1
    }
    .merging(EvaluationOptions.aliases) { $1 }.merging(PreferenceOptions.aliases) { $1 }
    static let mayLackValue = RunOptions.mayLackValue
    static let ignoredOptions = IgnoredOption.common + PreferenceOptions.ignored

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
