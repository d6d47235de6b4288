import ArgumentParser
import CommandLine
import Report

/// `rlhf-report methods`.
struct Methods: ReportCommand {
    typealias Whole = MethodStudyTable

    static let configuration = CommandConfiguration(
        commandName: "methods",
        abstract: "Compares methods at several strengths over several seeds, at equal reward and at equal KL.",
        discussion: """
            Writes methods.md, methods.json and methods.svg into the folder of the study: every system's numbers with intervals over seeds \
            and prompts, and the fronts of reward against KL, and of diversity and generalisation gap against reward.

              rlhf-report methods --experiment-dir runs/methods-small
              rlhf-report methods --experiment-dir runs/methods-small --reward-gains 0.5,1

            What is missing is named, so a study may be looked at before it is complete.
            """)

    @OptionGroup(title: "Study") var study: MethodStudyOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
