import Data
import Eval
import Formats
import Foundation
import Runs
public import Study

/// Scores every post of a data set and writes an index of the rows with the highest scores. Such an index defines a structured
/// subset like `sentiment`.
public struct PostIndex: ReportTask {
    /// Which rows the index keeps.
    public var index = IndexSettings()
    /// The data set that contains the posts.
    public var data = DataSettings()
    /// The reward function that scores posts. A post is scored as a response to an empty query.
    public var reward = RewardSettings()
    /// The number of threads, and the other settings for measuring.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    /// The groups of settings.
    public static var groups: [SettingsGroup<PostIndex>] { [.init(\.index), .init(\.data), .init(\.reward), .init(\.measuring)] }

    /// Writes the index, and the scores if their folder is given.
    /// - Throws: `InvalidSetting` for a reward that needs a policy or an output that is an input; `FileError`; the errors of
    ///   the reward.
    public func run(_ listener: ReportListener) throws {
        try validate()
        try measuring.computing { try work(listener) }
    }

    private func work(_ listener: ReportListener) throws {
        let ofComparisons = index.indexOf == "comparisons"
        guard let scorer = try reward.withoutPolicy() else {
            throw InvalidSetting(
                "--index-output scores posts and needs --reward-function sentiment, process, length or pattern")
        }
        let inputs = try data.inputFiles(ofComparisons: ofComparisons)
        let numpy = index.indexScores.map { URL(fileURLWithPath: $0, isDirectory: true) }
        try OutputFile.check(URL(fileURLWithPath: index.indexOutput), option: "--index-output", isNoneOf: inputs)
        let scores = try data.scores(ofComparisons: ofComparisons) { posts in
            try scorer.checkedRewards(for: posts.map { RewardRequest(query: "", response: $0) })
        }
        if let folder = numpy {
            try Folder.make(folder)
            for (split, numbers) in scores {
                try NumpyArray(shape: [numbers.count], elements: .reals(numbers))
                    .write(to: folder.appendingPathComponent("\(split).npy"))
            }
        }
        let found = try SplitIndex(scores: scores, keeping: .highest(share: index.indexShare))
        try found.write(to: URL(fileURLWithPath: index.indexOutput))
        let counts = found.rows.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.count)" }
        listener.note("\(index.indexOutput): rows per split: \(counts.joined(separator: ", "))")
    }
}
