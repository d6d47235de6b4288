import Formats
import Data
import Eval
import Foundation
import Models

/// Scores texts with a reward model: a new column in a table of rows.
struct ScoringJob {
    /// The reward model: a model folder or a run folder.
    var model: String
    /// A JSONL file of rows with `input` and `response`, or a run, by id or path.
    var target: String
    /// The tables of a run; all when empty.
    var tables: [String]
    /// The new column's name.
    var column: String
    /// Where the scored rows of a file go.
    var output: String?
    /// The folder of runs.
    var runs: String
    /// Whether the head has a tanh, whatever the model's config.json says.
    var usesTanh: Bool
    var position: String?
    var data: DataOptions

    /// Scores, writes and says mean, variance and deviation of every table.
    func callAsFunction() throws {
        let console = Console()
        let loaded = try RewardSource.loaded(model, usesTanh: usesTanh ? true : nil) { console.say($0) }
        guard let end = loaded.tokenizer.endOfSequence else {
            throw CommandLineError.invalid("the tokenizer in \(model) names no end-of-sequence token (eos_token)")
        }
        let reward = RewardTextReward(
            loaded.model, tokenizer: loaded.tokenizer, endOfSequence: end, text: try data.compatibility.rewardText,
            position: RewardOptions.position(
                position, reference: data.referenceCompatible, tokenizer: loaded.tokenizer),
            maximumTokens: data.maxSourceLength + data.maxTargetLength)
        let files = try files()
        if let output { try OutputFile.check(URL(fileURLWithPath: output), option: "--score-output", isNoneOf: files.map(\.source)) }
        for (source, destination) in files {
            let rows = try JSONLines<ScoredRow>(source).read()
            let scores = try reward.rewards(for: rows.map(\.request))
            try JSONLines<ScoredRow>(destination).write(zip(rows, scores).map { $0.adding($1, as: column) })
            let count = Double(max(1, scores.count))
            let mean = scores.reduce(0, +) / count
            let variance = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
            console.say(
                String(
                    format: "%@: %d rows, %@ has mean %.4f, variance %.4f, deviation %.4f", destination.path,
                    rows.count, column, mean,
                    variance, variance.squareRoot()))
        }
    }

    /// What is read and what is written.
    private func files() throws -> [(source: URL, destination: URL)] {
        let path = URL(fileURLWithPath: target)
        if let status = try FileStatus.of(path), status.kind != .folder {
            let name = path.deletingPathExtension().lastPathComponent + ".scored.jsonl"
            let usual = path.deletingLastPathComponent().appendingPathComponent(name)
            return [(path, output.map { URL(fileURLWithPath: $0) } ?? usual)]
        }
        let folder = try RunFolder.run(named: target, in: URL(fileURLWithPath: runs, isDirectory: true))
        guard try RunFolder.isFinished(folder) else { throw RunFolderError.unfinished(path: folder.path) }
        let known = try Tables.names(inRun: folder)
        for name in tables where !known.contains(name) {
            throw RunFolderError.unknownTable(name, path: folder.path, known: known)
        }
        return (tables.isEmpty ? known : tables).map { name in
            let url = folder.appendingPathComponent(Tables.folderName).appendingPathComponent("\(name).jsonl")
            return (url, url)
        }
    }
}
