import ArgumentParser
import CommandLine
import Study

/// `train-preference`: direct preference optimisation.
struct TrainPreference: StageCommand {
    typealias Whole = PreferenceStage
    static let essentials = [
        "model-name", "comparisons", "dataset", "pairs", "loss", "beta", "learning-rate", "num-train-epochs", "per-device-train-batch-size",
        "freeze-layers", "run-id",
    ]

    static let configuration = CommandConfiguration(
        commandName: "train-preference",
        abstract: "Trains a policy on comparisons of answers, without a reward model: DPO and its relatives.",
        usage: "train-preference --model-name MODEL [options]",
        discussion: """
            The comparisons are those of train-reward-model: given ones, those of a run's scored answers (RUN:TABLE), or simulated from the \
            model's own summaries and a hidden judge. \
            Docs/methods.md has the formula of every loss. The policy is in final/, the reference's log-probabilities, which are computed \
            once, in reference-…/.

            DPO on simulated comparisons, on the best and the worst of N samples, IPO on the pairs of a reward model's run, KTO on your own:

              train-preference --model-name runs/sft --dataset generated --beta 0.1
              train-preference --model-name runs/sft --dataset bon:train --pairs best-worst
              train-preference --model-name runs/sft --comparisons runs/rm/comparisons \\
                --loss ipo
              train-preference --model-name runs/sft --comparisons my-pairs --loss kto

            \(Program.spellings)
            """)

    @OptionGroup(title: "Model and comparisons") var comparisons: ComparisonOptions
    @OptionGroup(title: "Preferences") var preference: DirectPreferenceOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "A low-rank adapter") var adapter: AdapterOptions
    @OptionGroup(title: "A model with an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "The finished model") var saving: SavingOptions
    @OptionGroup(title: "Tracking") var tracking: TrackingOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(TrainPreference.self)
