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
            Writes diversity.json and diversity.csv into runs/diversity/final. Whole
            pipelines are compared by rlhf-report.

            The samples of one run:
              calculate-diversity --run-ids bon --table-name test
            Two systems, with the difference and its confidence interval:
              calculate-diversity --run-ids ppo-samples --compare-run-ids bon \\
                --run-id ppo-against-sft
            Texts from another program:
              calculate-diversity --decodes texts.json --run-id texts \\
                --diversity-metrics ead_averaged_distinct_ngrams,self_bleu
            """)

    @OptionGroup(title: "Texts and metrics") var options: DiversityOptions
    @OptionGroup(title: "Run") var runs: RunOptions
}

Program.main(CalculateDiversity.self)
