import ArgumentParser
import CommandLine
import Report

/// `rlhf-report score`.
struct Score: ReportCommand {
    typealias Whole = RowScoring

    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Scores rows with a reward model or another reward.",
        discussion: """
            Adds a column to a JSONL file, or to the tables of a run.

              rlhf-report score --model-name runs/rm --score answers.jsonl
              rlhf-report score --model-name runs/rm --score bon --table-names test
              rlhf-report score --reward-function check --score-column right --score bon
            """)

    @OptionGroup(title: "Rows and model") var scoring: ScoringOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
