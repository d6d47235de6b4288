import ArgumentParser
import CommandLine
import Report

/// `rlhf-report methods`.
struct Methods: ReportCommand {
    typealias Whole = MethodStudyTable

    static let configuration = CommandConfiguration(
        commandName: "methods",
        abstract: "Compares methods at equal reward and at equal KL, over several seeds.",
        discussion: """
            Writes methods.md, methods.json and methods.svg into the folder of the study: every system's numbers with intervals over seeds \
            and prompts, and the fronts of reward against KL, and of diversity and generalisation gap against reward.

              rlhf-report methods --experiment-dir runs/methods-small
              rlhf-report methods --experiment-dir runs/methods-small --reward-gains 0.5,1

            Missing systems are listed, so it also works for a study that has not finished.
            """)

    @OptionGroup(title: "Study") var study: MethodStudyOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
