import ArgumentParser
import Runs

/// `train-ppo`: policy optimisation against a reward model.
struct TrainPPO: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-ppo",
        abstract: "Optimises a language model against a reward model with PPO.",
        discussion: "Options may be written --name value, --name=value or name=value.")

    static let aliases = DataOptions.aliases.merging(RunOptions.aliases) { $1 }.merging(SamplingArguments.aliases) {
        $1
    }
    .merging(RewardOptions.aliases) { $1 }.merging(PolicyOptions.aliases) { $1 }
    static let mayLackValue = RunOptions.mayLackValue
    static let ignoredOptions = IgnoredOption.common + PolicyOptions.ignored

    @OptionGroup(title: "Models and algorithm") var policy: PolicyOptions
    @OptionGroup(title: "Reward") var reward: RewardOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "The finished model") var saving: SavingOptions
    @OptionGroup(title: "Run") var runs: RunOptions

    mutating func run() throws {
        try PPOJob(
            run: runs, data: data, policy: policy, reward: reward, sampling: sampling, saving: saving,
            resolved: resolvedOptions)()
    }
}

Program.main(TrainPPO.self)
