/// Options of earlier versions that have moved to `rlhf-report`.
enum MovedOption {
    private static let places: [(command: String, names: [String])] = [
        ("compare", ["summary-dir", "sft-run", "rm-run", "ppo-run", "sft-samples-run", "ppo-samples-run", "total-seconds"]),
        ("experiment", ["experiment-dir"]),
        ("history", ["metrics", "metrics-output", "group-by"]),
        (
            "prefer",
            [
                "systems", "judge-command", "judge-patience", "judge-requests", "judge-answers", "judge-comparisons", "judged-inputs",
                "judge-annotator", "preference-tasks", "preference-answers", "task-form", "answer-scale", "answer-merging",
                "neutral-answers", "pick-examples", "pick-by", "pick-strictly", "picked-examples",
            ]
        ),
        ("score", ["score", "score-column", "score-output"]),
        ("index", ["index-output", "index-of", "index-share", "index-scores"]),
    ]

    /// The command that has an option now; nil if the option was not moved.
    /// - Parameter name: the option's name in kebab-case.
    static func place(of name: String) -> String? {
        places.first { $0.names.contains(name) }.map { "rlhf-report \($0.command)" }
    }
}
