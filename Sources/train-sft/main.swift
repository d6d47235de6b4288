import ArgumentParser
import CommandLine
import Study

/// `train-sft`: supervised fine-tuning.
struct TrainSFT: StageCommand {
    typealias Whole = SFTStage
    static let essentials = [
        "model-name", "from-scratch", "dataset", "data-dir", "learning-rate", "num-train-epochs", "max-steps",
        "per-device-train-batch-size", "freeze-layers", "run-id",
    ]

    static let configuration = CommandConfiguration(
        commandName: "train-sft",
        abstract: "Supervised fine-tuning of a language model.",
        usage: """
            train-sft --model-name MODEL [options]
            train-sft --from-scratch [options]
            """,
        discussion: """
            Writes runs/sft (config.json, metrics.jsonl, checkpoints/, model in final/).
            If the run is interrupted, repeat the same command to resume it.

            A small model from scratch, on generated posts:
              train-sft --from-scratch --dataset generated
            A model of yours, on your own rows (JSONL, JSON or CSV):
              train-sft --model-name models/opt --train-file train.jsonl --max-steps 100
            The published TL;DR set, as in the paper:
              train-sft --model-name models/llama --data-dir data --run-id sft-tldr
            Two rounds on the best of 16 of the model's own answers:
              train-sft --model-name runs/sft --rounds 2 --rf-model-dir runs/rm \\
                --run-id expert
            """)

    @OptionGroup(title: "Model") var model: StartingModelOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Expert iteration") var rounds: RoundOptions
    @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
    @OptionGroup(title: "Generation in evaluations") var sampling: SamplingArguments
    @OptionGroup(title: "Reward of generated texts") var reward: RewardOptions
    @OptionGroup(title: "LoRA adapter") var adapter: AdapterOptions
    @OptionGroup(title: "Base model of an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "Saved model") var saving: SavingOptions
    @OptionGroup(title: "Tracking") var tracking: TrackingOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(TrainSFT.self)
