import Data
import Diversity
import Formats
import Foundation
import Runs
import Tensor
import Train

extension NamedTable {
    /// The checksums of the table files that a run's options name, by option, so that a resumed run can check that it uses the
    /// same answers; nil where the options name no table.
    static func files(of options: [String: OptionValue], in runs: URL) throws -> [String: String]? {
        var result: [String: String] = [:]
        for option in ["dataset", "comparisons"] {
            // an invalid name is reported later, by the code that reads the table
            guard case .string(let name)? = options[option], let found = try? NamedTable(name, in: runs) else { continue }
            let file = found.run.appendingPathComponent(Tables.folderName).appendingPathComponent("\(found.table).jsonl")
            result[option] = RunConfiguration.checksum(of: Array(try Foundation.Data(contentsOf: file)))
        }
        return result.isEmpty ? nil : result
    }
}

/// Makes comparisons from the scored answers in a run's table.
struct AnswerTable {
    /// All answers to one prompt.
    struct Pool {
        var id: String
        var input: String
        var rows: [SampleRow] = []
    }

    let source: NamedTable
    /// How pairs are chosen from the answers to a prompt.
    let pairs: AnswerPairs
    /// Measures how much an answer differs from the others to its prompt; nil where pairs are not weighted by it.
    let deviation: AnswerDiversity?

    /// The training comparisons, and those of the other splits for which the run has a table. For `train` these are the tables
    /// `validation`, `test` and so on; for `train_best_of_n` the tables with the same suffix. Where no such table exists, `share`
    /// of the prompts is held out as `validation`.
    /// - Throws: `DataError.emptySplit` when no training comparison remains.
    func comparisons(_ splits: [String], heldOut share: Double, note: (String) -> Void) throws -> [(
        name: String, comparisons: [Comparison]
    )] {
        var training = try pools(of: source.table)
        let others = try otherTables(splits)
        var held: [(name: String, table: String, pools: [Pool])] = try others.map { ($0.name, $0.table, try pools(of: $0.table)) }
        if !held.contains(where: { $0.name != "train" && !$0.pools.isEmpty }) {
            let (kept, taken) = divided(training, share: share)
            training = kept
            if !taken.isEmpty { held.append(("validation", "\(source.table), held out", taken)) }
        }
        return try ([("train", source.table, training)] + held).compactMap { name, table, pools in
            let (comparisons, left) = try self.comparisons(of: pools)
            note(
                "\(name): \(Counted(comparisons.count, "pair")) (\(pairs.selection.name)) from \(Counted(pools.count, "prompt")) "
                    + "of \(source.run.path):\(table)\(left)")
            guard comparisons.isEmpty else { return (name, comparisons) }
            guard name == "train" else { return nil }
            throw DataError.emptySplit("train", reason: "no pairs can be made from \(source.shown)\(left)")
        }
    }

    /// The run's tables of other splits with the same suffix as the training table.
    private func otherTables(_ splits: [String]) throws -> [(name: String, table: String)] {
        guard source.table.hasPrefix("train") else { return [] }
        let (ending, known) = (source.table.dropFirst("train".count), try Tables.names(inRun: source.run))
        return splits.filter { $0 != "train" && known.contains($0 + ending) }.map { ($0, $0 + ending) }
    }

    /// The rows of a table grouped by prompt, in the order in which the prompts first appear.
    /// - Throws: `DataError.emptySplit` for a row without a reward.
    private func pools(of table: String) throws -> [Pool] {
        var (pools, places): ([Pool], [[UInt8]: Int]) = ([], [:])
        for (number, row) in zip(1..., try Tables.read(table, inRun: source.run)) {
            guard row.reward != nil else {
                throw DataError.emptySplit(
                    table,
                    reason: "\(source.run.path):\(table) has no reward for row \(number) (\(row.id)); expected a table of scored answers, "
                        + "as sample-best-of-n and train-ppo write them")
            }
            let key = Array(row.id.utf8) + [0] + Array(row.input.utf8)
            let place = places[key] ?? pools.count
            if place == pools.count {
                places[key] = place
                pools.append(Pool(id: row.id, input: row.input))
            }
            pools[place].rows.append(row)
        }
        return pools
    }

    /// Splits off a share of the prompts at random. Each prompt draws a number from its own random stream, and the prompts with
    /// the smallest numbers are taken.
    private func divided(_ pools: [Pool], share: Double) -> (kept: [Pool], taken: [Pool]) {
        let draws = pools.map { pool in
            var random = pairs.random.split("held out").split(pool.id)
            return random.next()
        }
        let order = pools.indices.sorted { (draws[$0], $0) < (draws[$1], $1) }
        let taken = Set(order.prefix(Int(share * Double(pools.count))))
        return (pools.indices.filter { !taken.contains($0) }.map { pools[$0] }, pools.indices.filter(taken.contains).map { pools[$0] })
    }

    /// The comparisons of the prompts, and a description of the prompts that have none.
    private func comparisons(of pools: [Pool]) throws -> (comparisons: [Comparison], left: String) {
        var (result, equal, same, close): ([Comparison], [String], [String], [String]) = ([], [], [], [])
        for pool in pools {
            let answers = pool.rows.map { ScoredAnswer($0.response, reward: $0.reward ?? 0) }
            let found = try pairs.pairs(of: answers, id: pool.id)
            if found.isEmpty {
                if Set(answers.map(\.reward)).count < 2 {
                    equal.append(pool.id)
                } else if Set(answers.map { Array($0.text.utf8) }).count < 2 {
                    same.append(pool.id)
                } else {
                    close.append(pool.id)
                }
                continue
            }
            let weights = try deviation.map { AnswerPairs.weights(ofDeviations: try $0.values(answers.map(\.text))) }
            for pair in found {
                var comparison = Comparison(
                    id: pool.id, subreddit: "", title: "", post: pool.input,
                    summaries: [answers[pair.chosen].text, answers[pair.rejected].text], choice: 0, promptFormat: .contents)
                comparison.isSampled = true
                if let chosen = pool.rows[pair.chosen].tokens, let rejected = pool.rows[pair.rejected].tokens {
                    comparison.summaryTokens = [chosen, rejected]
                }
                if let weights { comparison.weight = weights[pair.chosen] }
                result.append(comparison)
            }
        }
        return (
            result,
            Self.words(equal, "without two different rewards") + Self.words(same, "without two different texts")
                + Self.words(close, "whose rewards differ too little")
        )
    }

    private static func words(_ ids: [String], _ what: String) -> String {
        let shown = 8
        guard !ids.isEmpty else { return "" }
        return "; skipped prompts: \(ids.count) \(what) (\(ids.prefix(shown).joined(separator: ", "))\(ids.count > shown ? ", …" : ""))"
    }
}
