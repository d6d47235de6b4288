import ArgumentParser
import CommandLine
import Report

/// `rlhf-report html`.
struct Page: ReportCommand {
    typealias Whole = HTMLReport

    static let configuration = CommandConfiguration(
        commandName: "html",
        abstract: "Writes what runs have left as one web page that needs no network.",
        usage: "rlhf-report html RUNS… [--output FILE] [OPTIONS]",
        discussion: """
            Tables, pictures, learning curves and the texts that systems wrote, in one file that a browser opens.

              rlhf-report html runs/demo --output report.html
              rlhf-report html sft rm ppo bon ppo-samples --pictures pictures
              rlhf-report html runs/demo --pictures pictures --picture-formats svg,pdf

            What is missing is named in the report, so runs may be looked at while they are at work. Files that another program made are not \
            overwritten.
            """)

    @OptionGroup(title: "Report") var report: HTMLReportOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
