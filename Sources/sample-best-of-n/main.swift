import ArgumentParser
import CommandLine
import Study

/// `sample-best-of-n`: N responses to every prompt, scored, and the best of them.
struct SampleBestOfN: StageCommand {
    typealias Whole = BestOfNStage
    static let essentials = [
        "model-name", "rf-model-dir", "num-return-sequences", "evaluation-splits", "dataset", "data-dir", "target-eval-datapoints",
        "max-new-tokens", "temperature", "run-id",
    ]

    static let configuration = CommandConfiguration(
        commandName: "sample-best-of-n",
        abstract: "Draws N summaries for every post, scores them and keeps the best.",
        usage: "sample-best-of-n --model-name MODEL --rf-model-dir REWARD-MODEL [options]",
        discussion: """
            Writes tables/<split>.jsonl with all responses and tables/<split>_best_of_n.jsonl with the best ones.

            Best of 16 of the supervised model, one greedy summary a post from the policy, and four samples with their KL:

              sample-best-of-n --model-name runs/sft --rf-model-dir runs/rm
              sample-best-of-n --model-name runs/ppo --rf-model-dir runs/rm \\
                --num-return-sequences 1 --do-sample false --run-id ppo-greedy
              sample-best-of-n --model-name runs/ppo --rf-model-dir runs/rm \\
                --num-return-sequences 4 --reference-model runs/sft --run-id ppo-samples

            \(Program.spellings)
            """)

    @OptionGroup(title: "Models and splits") var options: BestOfNOptions
    @OptionGroup(title: "Reward") var reward: RewardOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(SampleBestOfN.self)
