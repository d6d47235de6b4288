import ArgumentParser
import CommandLine
import Report

/// `rlhf-report html`.
struct Page: ReportCommand {
    typealias Whole = HTMLReport

    static let configuration = CommandConfiguration(
        commandName: "html",
        abstract: "Writes the results of runs as one web page that works offline.",
        usage: "rlhf-report html RUNS… [--output FILE] [OPTIONS]",
        discussion: """
            Tables, pictures, learning curves and generated texts in one file for a browser. It needs no network.

              rlhf-report html runs/demo --output report.html
              rlhf-report html sft rm ppo bon ppo-samples --pictures pictures
              rlhf-report html runs/demo --pictures pictures --picture-formats svg,pdf

            The report lists what is missing, so it also works for runs that have not finished. Existing files are only overwritten if this \
            command wrote them.
            """)

    @OptionGroup(title: "Report") var report: HTMLReportOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
