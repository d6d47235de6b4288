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
        abstract: "Samples N answers to every prompt, scores them and keeps the best.",
        usage: """
            sample-best-of-n --model-name MODEL --rf-model-dir REWARD-MODEL [options]
            sample-best-of-n --samples-from RUN [options]
            """,
        discussion: """
            Writes runs/bon: tables/SPLIT.jsonl has all answers, SPLIT_best_of_n.jsonl the
            best ones. Repeat the same command to resume.

            Best of 16:
              sample-best-of-n --model-name runs/sft --rf-model-dir runs/rm
            Four samples of a policy, with their KL from the model it started from:
              sample-best-of-n --model-name runs/ppo --rf-model-dir runs/rm \\
                --num-return-sequences 4 --reference-model runs/sft --run-id ppo-samples
            A soft choice among samples that another run has drawn:
              sample-best-of-n --samples-from bon --num-return-sequences 4 \\
                --selection soft --selection-temperature 0.5 --run-id soft-4
            A sweep over sampling settings:
              sample-best-of-n --model-name runs/sft --rf-model-dir runs/rm \\
                --sweep temperature=0.3,0.7,1 --sweep min-p=0,0.1 --run-id sweep
            """)

    @OptionGroup(title: "Models and splits") var options: BestOfNOptions
    @OptionGroup(title: "Reward") var reward: RewardOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Base model of an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "Tracking") var tracking: TrackingOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(SampleBestOfN.self)
