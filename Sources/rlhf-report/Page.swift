import ArgumentParser
import CommandLine
import Report

/// `rlhf-report html`.
struct Page: ReportCommand {
    typealias Whole = HTMLReport

    static let configuration = CommandConfiguration(
        commandName: "html",
        abstract: "Writes what runs have left as one web page that needs no network.",
        discussion: """
            Tables, pictures, learning curves and the texts that systems wrote, in one file that a browser opens.

              rlhf-report html --runs runs/demo --output report.html
              rlhf-report html --runs sft,rm,ppo,bon,ppo-samples
            """)

    @OptionGroup(title: "Report") var report: HTMLReportOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
