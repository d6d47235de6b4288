import Formats
import Data
import Eval
import Foundation
import Models
import Runs
public import Study
import Train

/// Adds a column to tables of rows with the scores from a reward model or another reward function.
public struct RowScoring: ReportTask {
    /// Which rows to score, and with which reward.
    public var scoring = ScoringSettings()
    /// Where runs are stored, and the number of threads.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    /// The groups of settings.
    public static var groups: [SettingsGroup<RowScoring>] { [.init(\.scoring), .init(\.measuring)] }

    /// Yes.
    public static var usesRanks: Bool { true }

    /// Scores the rows, writes the tables with the added column, and notes the mean and variance of the scores.
    /// - Throws: `InvalidSetting`; `RunFolderError`; `FileError`; the errors of the reward.
    public func run(_ listener: ReportListener) throws {
        try validate()
        var listener = listener
        if listener.collective.rank > 0 { listener.note = { _ in } }
        try measuring.computing { try work(listener) }
    }

    private func work(_ listener: ReportListener) throws {
        let collective = listener.collective
        let reward = try reward(listener)
        let files = try files()
        if let output = scoring.scoreOutput {
            try OutputFile.check(URL(fileURLWithPath: output), option: "--score-output", isNoneOf: files.map(\.source))
        }
        for (source, destination, table) in files {
            let rows = try JSONLines<ScoredRow>(source).read()
            try collective.requireSame(Self.fingerprint(of: rows), what: "the content of \(source.path)")
            let scores = try scores(of: rows, reward, among: collective)
            // every rank has read the rows, so rank 0 may replace them
            try collective.together {
                guard collective.rank == 0 else { return }
                try JSONLines<ScoredRow>(destination).write(zip(rows, scores).map { $0.adding($1, as: scoring.scoreColumn) })
                if let table { try Tables.noteRewritten(table.name, inRun: table.run) }
            }
            let count = Double(max(1, scores.count))
            let mean = scores.reduce(0, +) / count
            let variance = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
            listener.note(
                String(
                    format: "%@: %@, %@ has mean %.4f, variance %.4f, deviation %.4f", destination.path,
                    "\(Counted(rows.count, "row"))", scoring.scoreColumn, mean,
                    variance, variance.squareRoot()))
        }
    }

    /// The scores of all rows. Each rank scores a share of them, unless the reward of a row depends on the others.
    private func scores(of rows: [ScoredRow], _ reward: any RewardFunction, among collective: any Collective) throws -> [Double] {
        let length = { (row: ScoredRow) in row.request.query.utf8.count + row.request.response.utf8.count }
        return try collective.sharing(rows, unit: reward.dependsOnBatch ? rows.count : 1, tokens: length) { share in
            let scores = share.isEmpty ? [] : try reward.rewards(for: share.map(\.request))
            guard scores.count == share.count else { throw RewardError.wrongCount(scores.count, expected: share.count) }
            return scores
        }.flatMap { $0 }
    }

    /// A hash of the prompts and answers, by which ranks notice that they have read different files.
    private static func fingerprint(of rows: [ScoredRow]) -> String {
        var hash = FNV128()
        for row in rows {
            hash.add(text: row.request.query)
            hash.add(text: row.request.response)
        }
        return hash.digits
    }

    private func reward(_ listener: ReportListener) throws -> any RewardFunction {
        if let function = scoring.rewardFunction {
            var reward = RewardSettings()
            reward.rewardFunction = function
            if let found = try reward.withoutPolicy() { return found }
        }
        let modelName = scoring.modelName ?? ""
        let format = scoring.rewardFormat.flatMap { ClassifierReward.Format(rawValue: SettingName.canonical($0)) }
        if let classifier = try RewardSource.classifier(modelName, label: scoring.rewardLabel, format: format, note: listener.note) {
            return classifier
        }
        let data = scoring.data
        let loaded = try RewardSource.loaded(modelName, usesTanh: scoring.valueHeadActivation ? true : nil, note: listener.note)
        guard let end = loaded.tokenizer.endOfSequence else {
            throw InvalidSetting("the tokenizer in \(modelName) has no end-of-sequence token (eos_token)")
        }
        return RewardTextReward(
            loaded.model, tokenizer: loaded.tokenizer, endOfSequence: end, text: try data.compatibility.rewardText,
            position: RewardSettings.position(
                scoring.scorePosition, reference: data.referenceCompatible, tokenizer: loaded.tokenizer),
            maximumTokens: data.maxSourceLength + data.maxTargetLength)
    }

    /// The input and output file of each table to score, and the run's table that it is, if any.
    private func files() throws -> [(source: URL, destination: URL, table: (name: String, run: URL)?)] {
        let path = URL(fileURLWithPath: scoring.score)
        if let status = try FileStatus.of(path), status.kind != .folder {
            let name = path.deletingPathExtension().lastPathComponent + ".scored.jsonl"
            let usual = path.deletingLastPathComponent().appendingPathComponent(name)
            return [(path, scoring.scoreOutput.map { URL(fileURLWithPath: $0) } ?? usual, nil)]
        }
        if path.pathExtension == "jsonl" { throw FileError.missing(path: path.path) }
        guard scoring.scoreOutput == nil else {
            throw InvalidSetting("--score-output needs a file of rows as input; scores of a run are added to its own tables")
        }
        let folder = try RunFolder.run(named: scoring.score, in: URL(fileURLWithPath: measuring.outputDir, isDirectory: true))
        guard try RunFolder.isFinished(folder) else { throw RunFolderError.unfinished(path: folder.path) }
        let known = try Tables.names(inRun: folder)
        for name in scoring.tableNames where !known.contains(name) {
            throw RunFolderError.unknownTable(name, path: folder.path, known: known)
        }
        return (scoring.tableNames.isEmpty ? known : scoring.tableNames).map { name in
            let url = folder.appendingPathComponent(Tables.folderName).appendingPathComponent("\(name).jsonl")
            return (url, url, (name, folder))
        }
    }
}
