import ArgumentParser
import CommandLine
import Report

/// `rlhf-report history`.
struct History: ReportCommand {
    typealias Whole = MetricHistoryFiles

    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Writes metrics over training steps as a table and a picture.",
        discussion: """
            Writes metrics.csv, metrics.svg and runs.csv, a table of the runs with the options that they differ in.

              rlhf-report history --run-ids ppo-1,ppo-2 --metrics mean_reward,kl_sequence
              rlhf-report history --run-ids ppo-1,ppo-2,ppo-3 --metrics kl_sequence \\
                --group-by init_kl_coef
            """)

    @OptionGroup(title: "Runs and metrics") var history: HistoryOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
