import Data
import Formats
package import Foundation
import Runs
import Tensor
import Train

/// How far best-of-N sampling has come, as its checkpoints hold it: which prompts are answered, and the sums over their answers.
///
/// Random streams need no place in it: each is named by the seed, the prompt and the number of the response.
package struct BestOfNProgress: Codable, Equatable {
    /// The split that is being answered, by its place among those asked for.
    var split = 0
    /// Prompts of it that are answered.
    var prompts = 0
    /// Groups of responses drawn, over all splits.
    var done = 0
    /// Tokens drawn.
    var tokens = 0
    /// Sums over the split's prompts: the mean reward of a prompt's responses, that of its best, and those of the best of the first 1…n.
    var firstMean = 0.0
    var bestMean = 0.0
    var curve: [Double] = []
    /// The means of finished splits.
    var curves: [String: [Double]] = [:]
    /// Of soft choices: sums of the bounds of their KL for the first 1…n responses, and the means of finished splits.
    var klCurve: [Double]?
    var klCurves: [String: [Double]]?

    private static var fileName: String { "best-of-n.json" }

    /// Counts the responses to one prompt, `n` of each group.
    /// - Parameters:
    ///   - selection: how one of a group is chosen.
    ///   - random: every prompt and group has a stream of its own in it.
    /// - Returns: The rows of the first group, and the chosen one of every group with its `group` and `n`.
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

    /// A number of tokens, which a table may claim to be anything.
    private static func count(_ number: Double?) -> Int { number.flatMap { Int(exactly: $0) }.map { min(max(0, $0), 1 << 20) } ?? 0 }

    /// Keeps the means of a split that is done, and begins the next.
    mutating func finish(split name: String, prompts count: Double) {
        curves[name] = curve.map { $0 / count }
        if let klCurve { klCurves = (klCurves ?? [:]).merging([name: klCurve.map { $0 / count }]) { _, new in new } }
        (split, prompts, firstMean, bestMean, curve, klCurve) = (split + 1, 0, 0, 0, [], nil)
    }

    /// - Throws: `FileError`.
    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let text = String(decoding: try encoder.encode(self), as: UTF8.self)
        try AtomicFile.write(text + "\n", to: folder.appendingPathComponent(Self.fileName))
    }

    /// Reads what ``write(to:)`` wrote.
    /// - Parameter n: the responses of a group.
    /// - Throws: `FileError.damaged`.
    package static func read(from folder: URL, n: Int) throws -> BestOfNProgress {
        let content = try FolderChecksums.written(fileName, in: folder) {
            try Descriptor.content(of: folder.appendingPathComponent(fileName).path, followingLinks: false)
        }
        guard let progress = try? JSONDecoder().decode(BestOfNProgress.self, from: Foundation.Data(content)) else {
            throw FileError.damaged(path: folder.path, problem: "\(fileName) is not what was written")
        }
        let counts = 0...(1 << 53)
        guard [progress.split, progress.prompts, progress.done, progress.tokens].allSatisfy({ counts.contains($0) }),
            [0, n].contains(progress.curve.count), progress.klCurve.map({ $0.count == n }) ?? true
        else { throw FileError.damaged(path: folder.path, problem: "\(fileName) has counts that no run comes to") }
        return progress
    }
}
