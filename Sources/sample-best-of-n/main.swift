import ArgumentParser
import Runs

/// `sample-best-of-n`: N responses to every prompt, scored, and the best of them.
struct SampleBestOfN: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample-best-of-n",
        abstract: "Draws N summaries for every post, scores them with a reward model and keeps the best.",
        discussion: """
            Writes tables/<split>.jsonl with all responses and tables/<split>_best_of_n.jsonl with the best ones.

            \(Program.spellings)

            Best of 16 of the supervised model, then one greedy summary a post from the policy:

              sample-best-of-n --model-name runs/sft --rf-model-dir runs/rm --num-return-sequences 16
              sample-best-of-n --model-name runs/ppo --rf-model-dir runs/rm --num-return-sequences 1 --do-sample false
            """)

    @OptionGroup(title: "Models and splits") var options: BestOfNOptions
    @OptionGroup(title: "Reward") var reward: RewardOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Run") var runs: RunOptions

    mutating func run() throws {
        try BestOfNJob(
            run: runs, data: data, sampling: sampling, reward: reward, options: options, resolved: resolvedOptions)()
    }
}

Program.main(SampleBestOfN.self)
