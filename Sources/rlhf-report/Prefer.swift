import ArgumentParser
import CommandLine
import Report

/// `rlhf-report prefer`.
struct Prefer: ReportCommand {
    typealias Whole = SystemPreferences

    static let configuration = CommandConfiguration(
        commandName: "prefer",
        abstract: "Measures which of several systems people or a judge prefer.",
        discussion: """
            Writes tasks for people, reads their answers, asks a judge about each pair in both orders, or picks contrasting examples.

              rlhf-report prefer --systems ppo-samples,bon:test_best_of_n \\
                --judge-url http://localhost:8080/v1/chat/completions \\
                --judge-model gemma
              rlhf-report prefer --systems ppo-samples,bon:test_best_of_n \\
                --judge-command "python3 judge.py"
              rlhf-report prefer --systems ppo-samples,bon:test_best_of_n \\
                --preference-tasks tasks.jsonl --page annotate.html
              rlhf-report prefer --preference-tasks tasks.jsonl \\
                --preference-answers answers.jsonl
            """)

    @OptionGroup(title: "Comparison of systems") var preferences: SystemPreferenceOptions
    @OptionGroup(title: "Judge") var judge: JudgeOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}
