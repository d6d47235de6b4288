import ArgumentParser
import CommandLine
import Study

/// `calculate-diversity`: how different sampled summaries are, and what a whole pipeline did.
struct CalculateDiversity: StageCommand {
    typealias Whole = DiversityStage
    static let essentials = [
        "run-ids", "table-name", "ood-table-name", "compare-run-ids", "decodes", "diversity-metrics", "embedding-model", "text-metrics",
        "output-dir", "run-id",
    ]

    static let configuration = CommandConfiguration(
        commandName: "calculate-diversity",
        abstract: "Measures how diverse sampled texts are, per prompt and across prompts.",
        usage: """
            calculate-diversity --run-ids RUN [options]
            calculate-diversity --decodes FILE [options]
            """,
        discussion: """
            Writes final/diversity.json and .csv into its run folder; with a second system or tables out of distribution also the \
            differences, with --best-of-n-curve and --text-metrics what their help says. Comparisons of whole pipelines, preferences \
            and tables of experiments are made by rlhf-report.

            Of samples of one run, of two systems with the difference and its interval, and of texts from elsewhere:

              calculate-diversity --run-ids bon --table-name test
              calculate-diversity --run-ids ppo-samples --compare-run-ids bon \\
                --run-id ppo-against-sft
              calculate-diversity --decodes texts.json --run-id texts \\
                --diversity-metrics ead_averaged_distinct_ngrams,self_bleu

            \(Program.spellings)
            """)

    @OptionGroup(title: "Texts and metrics") var options: DiversityOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(CalculateDiversity.self)
