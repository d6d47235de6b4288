import ArgumentParser
import CommandLine
import Report

/// `rlhf-report index`.
struct Index: ReportCommand {
    typealias Whole = PostIndex

    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Scores the posts of a data set and writes an index of the highest.",
        discussion: """
            The index is what --dataset-structured-subset sentiment of the other programs reads as --sentiment-index.

              rlhf-report index --data-dir data --index-output index.json \\
                --reward-function sentiment --rf-model-dir models/sentiment

            --reward-function must be sentiment, process, length, compression or pattern: there is no prompt.
            """)

    @OptionGroup(title: "Index") var index: IndexOptions
    @OptionGroup(title: "Reward of posts") var reward: RewardOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
