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
        abstract: "Preference optimisation without a reward model: DPO, IPO, KTO, SimPO and others.",
        usage: "train-preference --model-name MODEL [options]",
        discussion: """
            Writes runs/dpo: config.json, metrics.jsonl, checkpoints/ and the policy in
            final/. Repeat the same command to resume. Formulas: Docs/methods.md.

            DPO on simulated comparisons, and on your own:
              train-preference --model-name runs/sft --dataset generated --beta 0.1
              train-preference --model-name runs/sft --comparisons my-pairs
            IPO on the pairs that a reward model was trained on:
              train-preference --model-name runs/sft --comparisons runs/rm/comparisons \\
                --loss ipo
            The best against the worst of N scored samples:
              train-preference --model-name runs/sft --dataset bon:train --pairs best-worst
            """)

    @OptionGroup(title: "Model and comparisons") var comparisons: ComparisonOptions
    @OptionGroup(title: "Preferences") var preference: DirectPreferenceOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "LoRA adapter") var adapter: AdapterOptions
    @OptionGroup(title: "Base model of an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "Saved model") var saving: SavingOptions
    @OptionGroup(title: "Tracking") var tracking: TrackingOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(TrainPreference.self)
