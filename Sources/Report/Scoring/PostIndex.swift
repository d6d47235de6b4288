import Data
import Eval
import Formats
import Foundation
import Runs
public import Study

/// Scores every post of a data set and writes an index of the rows that score highest: how the rows of a structured subset such as
/// `sentiment` are found.
public struct PostIndex: ReportTask {
    /// Which rows the index keeps.
    public var index = IndexSettings()
    /// The posts.
    public var data = DataSettings()
    /// What scores: a post is its response, and the query is empty.
    public var reward = RewardSettings()
    /// Where runs are, and how they are measured.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    public static var groups: [SettingsGroup<PostIndex>] { [.init(\.index), .init(\.data), .init(\.reward), .init(\.measuring)] }

    public func run(_ listener: ReportListener) throws {
        try validate()
        try measuring.computing { try work(listener) }
    }

    private func work(_ listener: ReportListener) throws {
        let ofComparisons = index.indexOf == "comparisons"
        guard let scorer = try reward.withoutPolicy() else {
            throw InvalidSetting(
                "--index-output scores posts; choose --reward-function sentiment, process, length or pattern for it")
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
        listener.note("\(index.indexOutput) lists rows of \(counts.joined(separator: ", "))")
    }
}
