import ArgumentParser
import CommandLine
import Report

/// `rlhf-report export`.
struct Export: ReportCommand {
    typealias Whole = AnswerExport

    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Exports the answers of a run for other programs, such as alpaca_eval.",
        discussion: """
            The file holds instruction, output, generator and dataset of one answer to each prompt.

              rlhf-report export --export runs/ppo-samples --format alpaca_eval \\
                --export-output ppo.json --generator ppo
              rlhf-report export --export bon:ood_test_best_of_n \\
                --export-output bon-ood.json
            """)

    @OptionGroup(title: "Answers and file") var export: ExportOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
