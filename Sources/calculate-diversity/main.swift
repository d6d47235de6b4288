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
            --experiment-dir it makes the table of an experiment over several seeds.
            """)

    static let aliases = RunOptions.aliases
    static let mayLackValue = RunOptions.mayLackValue
    static let ignoredOptions = IgnoredOption.common + DiversityOptions.ignored

    @OptionGroup(title: "Texts and metrics") var options: DiversityOptions
    @OptionGroup(title: "Comparison of a pipeline") var comparison: ComparisonOptions
    @OptionGroup(title: "Run") var runs: RunOptions

    mutating func run() throws {
        if comparison.isExperimentWanted {
            try ExperimentJob(run: runs, options: comparison, embeddingModel: options.embeddingModel)()
        } else if comparison.isWanted {
            try ComparisonJob(run: runs, options: comparison, embeddingModel: options.embeddingModel)()
        } else {
            try DiversityJob(run: runs, options: options, resolved: resolvedOptions)()
        }
    }
}

Program.main(CalculateDiversity.self)
