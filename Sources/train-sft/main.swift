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
        abstract: "Trains a language model to write summaries, from pairs of post and summary.",
        usage: """
            train-sft --model-name MODEL [options]
            train-sft --from-scratch [options]
            """,
        discussion: """
            Writes a run folder: config.json, metrics.jsonl, checkpoints/ and the model in final/. The same command goes on with a \
            run that was interrupted.

            A small model from nothing on generated posts, a given one on the published set as the paper has it, and 100 steps \
            on your own files; two rounds on the best of 16 answers of its own (expert iteration):

              train-sft --from-scratch --dataset generated
              train-sft --model-name models/llama --data-dir data --run-id sft-tldr
              train-sft --model-name models/opt --dataset my-posts --max-steps 100
              train-sft --model-name runs/sft --rounds 2 --rf-model-dir runs/rm \\
                --run-id expert

            \(Program.spellings)
            """)

    @OptionGroup(title: "Model") var model: StartingModelOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Rounds of answers of its own") var rounds: RoundOptions
    @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
    @OptionGroup(title: "Generation in evaluations") var sampling: SamplingArguments
    @OptionGroup(title: "Reward of generated texts") var reward: RewardOptions
    @OptionGroup(title: "A low-rank adapter") var adapter: AdapterOptions
    @OptionGroup(title: "A model with an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "The finished model") var saving: SavingOptions
    @OptionGroup(title: "Tracking") var tracking: TrackingOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(TrainSFT.self)
