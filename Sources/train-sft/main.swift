import ArgumentParser
import Runs

/// `train-sft`: supervised fine-tuning.
struct TrainSFT: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-sft",
        abstract: "Trains a language model to write summaries, from pairs of post and summary.",
        discussion: """
            Writes a run folder: config.json, metrics.jsonl, checkpoints/ and the model in final/. The same command goes on with a \
            run that was interrupted.

            \(Program.spellings)

            A small model from nothing on generated posts, then the paper's fine-tuning of a given one on the published set:

              train-sft --from-scratch --dataset generated
              train-sft --model-name models/llama --data-dir data --run-id sft-tldr
            """)

    @OptionGroup(title: "Model") var model: StartingModelOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions
    @OptionGroup(title: "Generation in evaluations") var sampling: SamplingArguments
    @OptionGroup(title: "Reward of generated texts") var reward: RewardOptions
    @OptionGroup(title: "The finished model") var saving: SavingOptions
    @OptionGroup(title: "Run") var runs: RunOptions

    mutating func run() throws {
        try SFTJob(
            run: runs, data: data, model: model, training: training, evaluation: evaluation, sampling: sampling,
            reward: reward, saving: saving, resolved: resolvedOptions)()
    }
}

Program.main(TrainSFT.self)
