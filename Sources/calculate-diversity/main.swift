import ArgumentParser
import Runs

/// `calculate-diversity`: how different sampled summaries are, and what a whole pipeline did.
struct CalculateDiversity: ProgramCommand {
    static let configuration = CommandConfiguration(
        commandName: "calculate-diversity",
        abstract: "Measures how diverse sampled texts are, per prompt and across prompts.",
        discussion: """
            Writes final/diversity.json and .csv into its run folder; with a second system or tables out of distribution also the \
            differences, with --best-of-n-curve and --text-metrics what their help says. With --summary-dir it compares the systems of \
            a pipeline instead: quality, KL and diversity of the supervised model, PPO and best-of-N, in and out of distribution. With \
            --experiment-dir it makes the table of an experiment over several seeds. With --systems it asks which of them is preferred: \
            tasks for people and what their answers say, the verdicts of a judge, contrasting examples. With --metrics it \
            writes numbers of runs over their steps as a table and a picture.

            \(Program.spellings)

            Of samples of one run, then of texts from elsewhere with two metrics only:

              calculate-diversity --run-ids bon --table-name test
              calculate-diversity --decodes texts.json --diversity-metrics ead_averaged_distinct_ngrams,self_bleu
            """)

    @OptionGroup(title: "Texts and metrics") var options: DiversityOptions
    @OptionGroup(title: "Comparison of a pipeline") var comparison: ComparisonOptions
    @OptionGroup(title: "Preferences between systems") var preferences: SystemPreferenceOptions
    @OptionGroup(title: "Numbers of runs") var history: HistoryOptions
    @OptionGroup(title: "Run") var runs: RunOptions

    mutating func run() throws {
        if history.isWanted {
            try HistoryJob(run: runs, options: history, runIds: options.runIds.values)()
        } else if preferences.isWanted {
            try PreferenceJob(
                run: runs, options: preferences, table: options.tableName.values.first ?? "test",
                resamples: options.bootstrapResamples, resolved: resolvedOptions)()
        } else if comparison.isExperimentWanted {
            try ExperimentJob(run: runs, options: comparison, embeddingModel: options.embeddingModel)()
        } else if comparison.isWanted {
            try ComparisonJob(run: runs, options: comparison, embeddingModel: options.embeddingModel)()
        } else {
            try DiversityJob(run: runs, options: options, resolved: resolvedOptions)()
        }
    }
}

Program.main(CalculateDiversity.self)
