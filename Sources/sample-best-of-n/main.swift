import ArgumentParser
import Runs

/// `sample-best-of-n`: N responses to every prompt, scored, and the best of them.
struct SampleBestOfN: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample-best-of-n",
        abstract: "Draws N summaries for every post, scores them with a reward model and keeps the best.",
        discussion:
            "Writes tables/<split>.jsonl with all responses and tables/<split>_best_of_n.jsonl with the best ones.")

    static let aliases = DataOptions.aliases.merging(RunOptions.aliases) { $1 }.merging(SamplingArguments.aliases) {
        $1
    }
    .merging(RewardOptions.aliases) { $1 }
    static let mayLackValue = RunOptions.mayLackValue
    static let ignoredOptions = IgnoredOption.common + BestOfNOptions.ignored

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
