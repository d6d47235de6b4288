import Data
import Formats
import Foundation
import Models
import Runs
import Train

// The reference model's log-probabilities of all sets, which are computed before the first step.
extension PreferenceStage {
    /// The examples of a run with the reference's log-probabilities.
    struct ReferencedSets<Example> {
        /// The training set.
        var train: [Example]
        /// The sets of evaluations during training.
        var evaluated: [(name: String, examples: [Example])]
        /// The sets that are measured once, after training, by name.
        var last: [String: [Example]]
    }

    /// The pairs of all sets.
    /// - Parameter reference: the reference model; nil if the loss has none.
    func pairs(
        _ train: [TokenisedComparison], _ evaluated: Sets, _ last: Sets, reference: (any TransformerDecoder)?, _ config: PreferenceConfig,
        _ session: RunSession
    ) throws -> ReferencedSets<PreferencePair> {
        func pairs(_ set: [TokenisedComparison], _ name: String) throws -> [PreferencePair] {
            guard config.loss.comparison == .reference, let reference else { return set.map { PreferencePair($0) } }
            let numbers = try stored(name, count: set.count, unit: "pair", session) { progress in
                try ReferenceLogProbs(reference, config: config).pairs(set, among: session.collective) { try progress($0, 0) }
                    .map { [$0.reference?.chosen ?? 0, $0.reference?.rejected ?? 0] }
            }
            return zip(set, numbers).map { PreferencePair($0, reference: ($1[0], $1[1])) }
        }
        let trained = try pairs(train, "train")
        return ReferencedSets(
            train: trained,
            evaluated: try evaluated.map { name, set in
                // the same draw of rows as for the comparisons, whose log-probabilities are already stored
                (name, try name == "train" ? evaluation.rows(trained, of: name, otherwise: .max, seed: run.seed) : pairs(set, name))
            },
            last: try Dictionary(last.map { ($0.name, try pairs($0.comparisons, $0.name)) }) { first, _ in first })
    }

    /// The single answers of all sets.
    func answers(
        _ train: [TokenisedComparison], _ evaluated: Sets, _ last: Sets, reference: (any TransformerDecoder)?, _ config: UnpairedConfig,
        _ session: RunSession
    ) throws -> ReferencedSets<UnpairedAnswer> {
        func answers(_ set: [TokenisedComparison], _ name: String) throws -> [UnpairedAnswer] {
            let all = UnpairedAnswer.answers(of: set)
            guard let reference else { return all }
            let numbers = try stored(name, count: all.count, unit: "answer", session) { progress in
                try UnpairedReference(reference, config: config).answers(all, among: session.collective) { try progress($0, 0) }
                    .map { [$0.reference.answer, $0.reference.mismatched] }
            }
            return zip(all, numbers).map { answer, numbers in
                var answer = answer
                answer.reference = (numbers[0], numbers[1])
                return answer
            }
        }
        return ReferencedSets(
            train: try answers(train, "train"),
            // a drawn subset of training rows has other mismatched answers than the whole set
            evaluated: try evaluated.map { ($0.name, try answers($0.comparisons, $0.name == "train" ? "train_evaluated" : $0.name)) },
            last: try Dictionary(last.map { ($0.name, try answers($0.comparisons, $0.name)) }) { first, _ in first })
    }

    /// The reference model's log-probabilities of a set. They are computed before the first step and stored in the run folder, so
    /// that a resumed run uses the same ones. Rank 0 reads and writes them.
    /// - Parameters:
    ///   - name: the name of the set.
    ///   - count: the number of rows.
    ///   - unit: what a row is, in progress lines.
    ///   - compute: computes the numbers on all ranks.
    private func stored(
        _ name: String, count: Int, unit: String, _ session: RunSession, _ compute: (PartProgressHandler) throws -> [[Double]]
    ) throws -> [[Double]] {
        let folderName = "reference-\(name)"
        let file = session.folder.url.appendingPathComponent(folderName, isDirectory: true).appendingPathComponent("log-probs.jsonl")
        let known = try session.collective.broadcast { () throws -> [[Double]]? in
            guard try FileStatus.of(file) != nil else { return nil }
            do {
                try FolderChecksums.verify(file.deletingLastPathComponent())
                let numbers = try JSONLines<[Double]>(file).read()
                return numbers.count == count && numbers.allSatisfy { $0.count == 2 } ? numbers : nil
            } catch FileError.damaged {
                session.say("\(file.path) is damaged; the reference model's log-probabilities are computed again")
                return nil
            }
        }
        if let known { return known }
        let numbers = try session.part("reference log-probabilities of \(name)", count, unit: unit, compute)
        try session.folder.writeResult(folderName) { try JSONLines<[Double]>($0.appendingPathComponent("log-probs.jsonl")).write(numbers) }
        return numbers
    }
}
