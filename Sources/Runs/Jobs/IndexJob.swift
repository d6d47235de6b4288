import Data
import Eval
import Formats
import Foundation

/// Scores every post of a data set and writes an index of the rows that score highest: how the rows of a structured subset such as
/// `sentiment` are found.
struct IndexJob {
    /// The JSON file.
    var output: String
    /// Whether the rows are those of comparisons rather than of posts.
    var ofComparisons: Bool
    /// The share of each split's rows that is kept.
    var share: Double
    /// The folder of the scores themselves, one `<split>.npy` each, where they are wanted.
    var scoresFolder: String?
    var data: DataOptions
    /// What scores: a post is its response, and the query is empty.
    var reward: RewardOptions

    /// Scores, writes, and says how many rows of each split are listed.
    func callAsFunction() throws {
        guard let scorer = try reward.withoutPolicy() else {
            throw CommandLineError.invalid(
                "--index-output scores posts; choose --reward-function sentiment, process, length or pattern for it")
        }
        let inputs = try data.inputFiles(ofComparisons: ofComparisons)
        let numpy = scoresFolder.map { URL(fileURLWithPath: $0, isDirectory: true) }
        try OutputFile.check(URL(fileURLWithPath: output), option: "--index-output", isNoneOf: inputs)
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
        let index = try SplitIndex(scores: scores, keeping: .highest(share: share))
        try index.write(to: URL(fileURLWithPath: output))
        let counts = index.rows.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.count)" }
        Console().say("\(output) lists rows of \(counts.joined(separator: ", "))")
    }
}
