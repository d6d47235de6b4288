import Data
import Formats
package import Foundation
import Runs
import Tensor
import Train

/// The progress of best-of-N sampling, as stored in checkpoints: which prompts are answered, and the sums over their answers.
///
/// It holds no state of random generators, because each random stream is derived from the seed, the prompt and the number of the
/// response.
package struct BestOfNProgress: Codable, Equatable {
    /// The index of the current split among the requested splits.
    var split = 0
    /// The number of prompts of the current split that are answered.
    var prompts = 0
    /// The number of groups of responses sampled, over all splits.
    var done = 0
    /// The number of tokens sampled.
    var tokens = 0
    /// Sums over the current split's prompts: the mean reward of a prompt's responses, the reward of its best response, and (the
    /// curve) the expected rewards of the choice among the first 1…n responses.
    var firstMean = 0.0
    var bestMean = 0.0
    var curve: [Double] = []
    /// The means of the curve for finished splits.
    var curves: [String: [Double]] = [:]
    /// Of soft choices: the sums of the KL bounds for the first 1…n responses, and the means for finished splits.
    var klCurve: [Double]?
    var klCurves: [String: [Double]]?

    private static var fileName: String { "best-of-n.json" }

    /// Adds the responses to one prompt, `n` per group.
    /// - Parameters:
    ///   - selection: how one response of a group is chosen.
    ///   - random: the random stream; each prompt and group gets a separate stream derived from it.
    /// - Returns: The rows of the first group, and the chosen row of every group with its `group` and `n`.
    mutating func take(
        _ rows: [SampleRow], n: Int, by selection: BestOfNSelection, using random: Philox
    ) -> (first: [SampleRow], best: [SampleRow]) {
        let choices = random.split(rows.first?.id ?? "")
        let groups = (0..<rows.count / n).map { Array(rows[$0 * n..<($0 + 1) * n]) }
        let bests = groups.enumerated().compactMap { group, part -> SampleRow? in
            guard var best = selection.choose(of: part, using: choices.split(UInt64(group))) else { return nil }
            best.numbers["group"] = Double(group)
            best.numbers["n"] = Double(n)
            return best
        }
        let first = groups.first ?? []
        if curve.isEmpty { curve = [Double](repeating: 0, count: n) }
        for (place, reward) in selection.expectedRewards(first).enumerated() { curve[place] += reward }
        if selection != .best {
            let sums = klCurve ?? [Double](repeating: 0, count: n)
            klCurve = zip(sums, selection.klBounds(first)).map { $0 + $1 }
        }
        firstMean += first.reduce(0) { $0 + ($1.reward ?? 0) } / Double(n)
        bestMean += bests.first?.reward ?? 0
        tokens += groups.joined().reduce(0) { $0 + Self.count($1.numbers["tokens"]) }
        done += bests.count
        return (first, bests)
    }

    /// A number of tokens from a table, clamped to a plausible range because a table may contain any number.
    private static func count(_ number: Double?) -> Int { number.flatMap { Int(exactly: $0) }.map { min(max(0, $0), 1 << 20) } ?? 0 }

    /// Stores the means of a finished split and starts the next one.
    mutating func finish(split name: String, prompts count: Double) {
        curves[name] = curve.map { $0 / count }
        if let klCurve { klCurves = (klCurves ?? [:]).merging([name: klCurve.map { $0 / count }]) { _, new in new } }
        (split, prompts, firstMean, bestMean, curve, klCurve) = (split + 1, 0, 0, 0, [], nil)
    }

    /// Writes the progress into a checkpoint folder.
    /// - Throws: `FileError`.
    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let text = String(decoding: try encoder.encode(self), as: UTF8.self)
        try AtomicFile.write(text + "\n", to: folder.appendingPathComponent(Self.fileName))
    }

    /// Reads the progress that ``write(to:)`` wrote.
    /// - Parameter n: the number of responses per group.
    /// - Throws: `FileError.damaged`.
    package static func read(from folder: URL, n: Int) throws -> BestOfNProgress {
        let content = try FolderChecksums.written(fileName, in: folder) {
            try Descriptor.content(of: folder.appendingPathComponent(fileName).path, followingLinks: false)
        }
        guard let progress = try? JSONDecoder().decode(BestOfNProgress.self, from: Foundation.Data(content)) else {
            throw FileError.damaged(path: folder.path, problem: "\(fileName) cannot be decoded")
        }
        let counts = 0...(1 << 53)
        guard [progress.split, progress.prompts, progress.done, progress.tokens].allSatisfy({ counts.contains($0) }),
            [0, n].contains(progress.curve.count), progress.klCurve.map({ $0.count == n }) ?? true
        else { throw FileError.damaged(path: folder.path, problem: "\(fileName) has counts that are out of range") }
        return progress
    }
}
