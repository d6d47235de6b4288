import ArgumentParser
import CommandLine
import Report

/// `rlhf-report experiment`.
struct ExperimentReport: ReportCommand {
    typealias Whole = ExperimentTable

    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Tabulates an experiment over several seeds.",
        discussion: """
            Writes experiment.json and experiment.md into the folder of the experiment: every system's numbers with intervals over seeds.

              rlhf-report experiment --experiment-dir runs/experiment
            """)

    @OptionGroup(title: "Experiment") var experiment: ExperimentOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
