import ArgumentParser
import CommandLine
import Report

/// `rlhf-report`: what runs have come to, as tables, pictures and files.
struct RLHFReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rlhf-report",
        abstract: "Compares, tabulates, scores and judges what runs have left.",
        discussion: """
            The systems of one pipeline beside each other, the tables of an experiment over seeds \
            and of a study of methods, and which of two systems a judge prefers:

              rlhf-report compare --sft-run sft --rm-run rm --ppo-run ppo \\
                --sft-samples-run bon --ppo-samples-run ppo-samples --summary-dir out
              rlhf-report experiment --experiment-dir runs/experiment
              rlhf-report methods --experiment-dir runs/methods-small
              rlhf-report prefer --systems ppo-samples,bon:test_best_of_n \\
                --judge-command "python3 judge.py"

            rlhf-report help NAME lists the options of one of them.
            """,
        subcommands: commands)

    static let commands: [any ProgramCommand.Type] = [
        Compare.self, Page.self, Sample.self, Prefer.self, ExperimentReport.self, Methods.self, History.self, Score.self, Index.self,
        Export.self,
    ]
}

Program.main(RLHFReport.self, RLHFReport.commands)
