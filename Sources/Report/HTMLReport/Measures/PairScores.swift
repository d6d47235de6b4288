package import Eval
import Formats
package import Foundation

/// The scores that a reward model gave to the two responses of each pair in a split, as written by `--save-preds` to
/// `predictions-SPLIT/scores.csv`.
package struct PairScores: Sendable {
    /// The split of the pairs.
    package var split: String
    /// The scores of the preferred and of the rejected response.
    package var pairs: [(chosen: Double, rejected: Double)]

    /// The name of the file.
    package static let fileName = "scores.csv"

    /// Creates the scores of a split.
    package init(split: String, pairs: [(chosen: Double, rejected: Double)]) { (self.split, self.pairs) = (split, pairs) }

    /// Reads the scores of all splits from a run.
    /// - Throws: `FileError`.
    package static func read(inRun folder: URL) throws -> [PairScores] {
        let prefix = "predictions-"
        return try Folder.names(in: folder.path).filter { $0.hasPrefix(prefix) }.compactMap { name in
            let file = folder.appendingPathComponent(name).appendingPathComponent(fileName)
            guard try FileStatus.of(file)?.kind == .file else { return nil }
            return PairScores(split: String(name.dropFirst(prefix.count)), pairs: try pairs(in: file))
        }.sorted { ($0.split.count, $0.split) < ($1.split.count, $1.split) }
    }

    /// Parses the lines after the header: index, score of the first response, score of the second, and 0 or 1 for the preferred
    /// one.
    private static func pairs(in file: URL) throws -> [(chosen: Double, rejected: Double)] {
        let text = String(decoding: try Descriptor.content(of: file.path, limit: 1 << 30), as: UTF8.self)
        return try text.split(separator: "\n").dropFirst().enumerated().map { index, line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
            guard fields.count == 4, let first = fields[1], let second = fields[2], first.isFinite, second.isFinite, let label = fields[3],
                label == 0 || label == 1
            else {
                throw FileError.damaged(
                    path: file.path, problem: "line \(index + 2) must have an index, two scores, and 0 or 1 for the preferred response")
            }
            return label == 0 ? (first, second) : (second, first)
        }
    }

    /// Accuracy: the fraction of pairs that the model orders as labelled, from 0 to 1. A tie counts half.
    package var accuracy: Double {
        pairs.reduce(0) { $0 + ($1.chosen > $1.rejected ? 1 : $1.chosen == $1.rejected ? 0.5 : 0) } / Double(max(1, pairs.count))
    }
}

/// The calibration of a reward model: how often it is right about pairs as a function of its confidence.
package struct Calibration: Sendable {
    /// Pairs of similar confidence.
    package struct Bin: Equatable, Sendable {
        /// The number of pairs.
        package var count: Int
        /// The mean probability that the model assigns to the response that it prefers.
        package var predicted: Double
        /// The fraction of pairs in which the preferred response is the labelled one, with its 95 % Wilson interval.
        package var observed: Interval
    }

    /// The bins, from the least to the most confident pairs.
    package var bins: [Bin]
    /// The expected calibration error (Guo et al., 2017): the mean of |predicted − observed| over bins, weighted by the number
    /// of pairs.
    package var error: Double

    /// Computes the calibration in bins with equal numbers of pairs, at least 20 if possible. The probability follows the
    /// Bradley–Terry model: σ of the score difference.
    package init(_ pairs: [(chosen: Double, rejected: Double)], bins count: Int = 10) {
        let judged = pairs.map { pair in
            (
                probability: 1 / (1 + exp(-abs(pair.chosen - pair.rejected))),
                right: pair.chosen > pair.rejected ? 1.0 : pair.chosen == pair.rejected ? 0.5 : 0.0
            )
        }.sorted { $0.probability < $1.probability }
        // intervals of bins with few pairs would be too wide to be useful
        let count = max(1, min(count, judged.count / 20))
        bins =
            judged.isEmpty
            ? []
            : (0..<count).map { bin in
                let part = judged[(bin * judged.count / count)..<((bin + 1) * judged.count / count)]
                let right = part.reduce(0) { $0 + $1.right }
                return Bin(
                    count: part.count, predicted: part.reduce(0) { $0 + $1.probability } / Double(part.count),
                    observed: Self.wilson(right, of: Double(part.count)))
            }
        let all = Double(max(1, judged.count))
        error = bins.reduce(0) { $0 + Double($1.count) / all * abs($1.predicted - $1.observed.mean) }
    }

    /// The 95 % interval of a proportion (Wilson, 1927).
    static func wilson(_ successes: Double, of count: Double) -> Interval {
        let (share, z) = (successes / count, 1.959963984540054)
        let middle = (share + z * z / (2 * count)) / (1 + z * z / count)
        let half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)).squareRoot()
        return Interval(mean: share, low: min(share, max(0, middle - half)), high: max(share, min(1, middle + half)))
    }
}

/// A histogram of values.
package struct Histogram: Sendable {
    /// The edges of the bins, one more than there are bins.
    package var edges: [Double]
    /// The fraction of all values in each bin.
    package var shares: [Double]

    /// Counts values in bins of equal width over a range. Values outside the range are counted in the first or last bin; NaN
    /// and Inf are counted in no bin.
    package init(_ values: [Double], from low: Double, to high: Double, bins: Int) {
        let width = (high - low) / Double(bins)
        edges = (0...bins).map { low + Double($0) * width }
        var counts = [Int](repeating: 0, count: bins)
        for value in values where value.isFinite {
            counts[min(max(Int(max(min((value - low) / width, 1e9), -1).rounded(.down)), 0), bins - 1)] += 1
        }
        shares = counts.map { Double($0) / Double(max(1, values.count)) }
    }

    /// The corners of the steps, from left to right.
    package var corners: [PicturePoint] {
        shares.indices.flatMap { [PicturePoint(edges[$0], shares[$0]), PicturePoint(edges[$0 + 1], shares[$0])] }
    }

    /// The range of several lists of values without the lowest and the highest 0.5 % of values; nil if there are none.
    package static func range(of lists: [[Double]]) -> (low: Double, high: Double)? {
        let sorted = lists.flatMap { $0 }.filter(\.isFinite).sorted()
        guard let low = Statistics.quantile(0.005, ofSorted: sorted), let high = Statistics.quantile(0.995, ofSorted: sorted) else {
            return nil
        }
        return high > low ? (low, high) : (low - 0.5, low + 0.5)
    }
}
