import ArgumentParser
import CommandLine
import Study

/// `train-ppo`: policy optimisation against a reward model.
struct TrainPPO: StageCommand {
    typealias Whole = PPOStage
    static let essentials = [
        "model-name", "rf-model-dir", "reward-function", "dataset", "total-steps", "learn-batch-size", "adam-learning-rate", "init-kl-coef",
        "advantage", "num-generations", "max-new-tokens", "run-id",
    ]

    static let configuration = CommandConfiguration(
        commandName: "train-ppo",
        abstract: "Reinforcement learning against a reward: PPO, RLOO, GRPO, REINFORCE++, ReMax.",
        usage: "train-ppo --model-name MODEL --rf-model-dir REWARD-MODEL [options]",
        discussion: """
            Writes runs/ppo: config.json, metrics.jsonl, tables of rollouts, checkpoints/
            and the policy in final/. Repeat the same command to resume.

            PPO against a reward model, and with a stronger KL penalty:
              train-ppo --model-name runs/sft --rf-model-dir runs/rm
              train-ppo --model-name runs/sft --rf-model-dir runs/rm \\
                --init-kl-coef 0.2 --run-id ppo-kl-0.2
            GRPO with 8 answers per prompt:
              train-ppo --model-name runs/sft --rf-model-dir runs/rm \\
                --advantage grpo --num-generations 8 --run-id grpo
            A program of your own as the reward:
              train-ppo --model-name runs/sft --run-id ppo-own \\
                --reward-function process --scorer-command "python3 scorer.py"
            """)

    @OptionGroup(title: "Models and training") var policy: PolicyOptions
    @OptionGroup(title: "Reward") var reward: RewardOptions
    @OptionGroup(title: "Diversity reward") var diversity: DiversityRewardOptions
    @OptionGroup(title: "Distillation of best-of-N") var distillation: DistillationOptions
    @OptionGroup(title: "KL penalty and reward shaping") var rewards: PPORewardOptions
    @OptionGroup(title: "Method") var method: PolicyMethodOptions
    @OptionGroup(title: "Advantages and losses") var algorithm: PPOOptions
    @OptionGroup(title: "Arithmetic of the original code") var arithmetic: PPOArithmeticOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "LoRA adapter") var adapter: AdapterOptions
    @OptionGroup(title: "Base model of an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "Saved model") var saving: SavingOptions
    @OptionGroup(title: "Tracking") var tracking: TrackingOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(TrainPPO.self)
