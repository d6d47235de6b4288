import ArgumentParser
import CommandLine
import Report

/// `rlhf-report compare`.
struct Compare: ReportCommand {
    typealias Whole = PipelineComparison

    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares the systems of one pipeline: quality, KL and diversity, with intervals.",
        discussion: """
            Writes summary.json, summary.md and summary.svg: what supervised training, PPO, preference optimisation and best-of-N did to \
            reward, ROUGE, length, KL and diversity, with intervals.

              rlhf-report compare --sft-run sft --rm-run rm --ppo-run ppo \\
                --sft-samples-run bon --ppo-samples-run ppo-samples
              rlhf-report compare --sft-run sft --rm-run rm --preference-run dpo \\
                --sft-samples-run bon --preference-samples-run dpo-samples

            PPO, preference optimisation or both. Diversity for one prompt needs several responses in every table: sample best-of-N with --groups 2 or more.
            """)

    @OptionGroup(title: "Runs of the pipeline") var runs: ComparedRunOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
