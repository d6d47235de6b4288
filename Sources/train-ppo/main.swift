import ArgumentParser
import Runs

/// `train-ppo`: policy optimisation against a reward model.
struct TrainPPO: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-ppo",
        abstract: "Optimises a language model against a reward model with PPO.",
        discussion: """
            Writes a run folder: config.json, metrics.jsonl, tables of rollouts and evaluations, checkpoints/ and the policy in final/. \
            The same command goes on with a run that was interrupted.

            \(Program.spellings)

            Against a reward model, then against a program of one's own that scores texts:

              train-ppo --model-name runs/sft --rf-model-dir runs/rm --dataset generated
              train-ppo --model-name runs/sft --reward-function process --scorer-command "python3 scorer.py"
            """)

    @OptionGroup(title: "Models and training") var policy: PolicyOptions
    @OptionGroup(title: "What scores responses") var reward: RewardOptions
    @OptionGroup(title: "From scores to rewards") var rewards: PPORewardOptions
    @OptionGroup(title: "From rewards to losses") var algorithm: PPOOptions
    @OptionGroup(title: "Arithmetic of the original") var arithmetic: PPOArithmeticOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "The finished model") var saving: SavingOptions
    @OptionGroup(title: "Run") var runs: RunOptions

    mutating func run() throws {
        try PPOJob(
            run: runs, data: data, policy: policy, rewards: rewards, algorithm: algorithm, arithmetic: arithmetic, reward: reward,
            sampling: sampling, saving: saving, resolved: resolvedOptions)()
    }
}

Program.main(TrainPPO.self)
