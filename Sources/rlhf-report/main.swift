import ArgumentParser
import CommandLine
import Report

/// `rlhf-report`: what runs have come to, as tables, pictures and files.
struct RLHFReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rlhf-report",
        abstract: "Reports on finished runs: comparisons, tables, samples, judges, scores and exports.",
        discussion: """
            Everything that runs contain, as one web page:
              rlhf-report html runs/demo --output report.html
            Try a model at a prompt:
              rlhf-report sample runs/sft
            Compare the systems of a pipeline:
              rlhf-report compare --sft-run sft --rm-run rm --ppo-run ppo \\
                --sft-samples-run bon --ppo-samples-run ppo-samples
            Which of two systems does a judge prefer?
              rlhf-report prefer --systems ppo-samples,bon:test_best_of_n \\
                --judge-command "python3 judge.py"

            rlhf-report help NAME describes the options of a command.
            """,
        subcommands: commands)

    static let commands: [any ProgramCommand.Type] = [
        Compare.self, Page.self, Sample.self, Prefer.self, ExperimentReport.self, Methods.self, History.self, Score.self, Index.self,
        Export.self,
    ]
}

Program.main(RLHFReport.self, RLHFReport.commands)
