import Formats
import Foundation
import Models
import Runs
import Tensor
import Train

/// Keeps the model with the best value of the metric `SavingSettings.keepBest`, and restores its weights when training ends.
///
/// The folder `best/` of the run holds the model and `best.json` with the metric, its value and the step. A run that is resumed from an earlier
/// checkpoint measures the same values again, so the folder stays valid.
final class BestModel: MetricSink {
    /// The content of `best.json`.
    struct Record: Codable, Equatable {
        var metric: String
        var value: Double
        var step: Int
    }

    private static let recordName = "best.json"

    private let metric: String
    private let isLessBetter: Bool
    private let run: SharedRunFolder
    /// The best evaluation so far; nil before the first.
    private(set) var record: Record?
    /// Writes the current model to a folder.
    var save: ((URL) throws -> Void)?

    /// - Parameters:
    ///   - metric: a metric of evaluations, such as `validation_loss`; nil returns nil.
    ///   - figures: the metrics of the stage's evaluations.
    /// - Throws: `InvalidSetting` for an unknown metric and for one without a better direction; `FileError`; `DecodingError`.
    init?(_ metric: String?, _ figures: [RunSummary.Figure], in run: SharedRunFolder) throws {
        guard let metric else { return nil }
        let name = metric.replacing("-", with: "_")
        let known = ["validation", "ood_validation"].flatMap { split in
            figures.compactMap { figure in figure.better.map { (name: "\(split)_\(figure.name)", better: $0) } }
        }
        guard let found = known.first(where: { $0.name == name }) else {
            throw InvalidSetting("--keep-best is '\(metric)'; it takes \(known.map(\.name).joined(separator: ", "))")
        }
        (self.metric, isLessBetter, self.run) = (name, found.better == .less, run)
        record = try run.collective.broadcast {
            guard try FileStatus.of(folder) != nil else { return nil }
            try FolderChecksums.verify(folder)
            return try Self.record(in: folder)
        }
    }

    /// The record in a folder; nil if there is none.
    private static func record(in folder: URL) throws -> Record? {
        let file = folder.appendingPathComponent(recordName)
        guard try FileStatus.of(file) != nil else { return nil }
        do {
            return try JSONDecoder().decode(Record.self, from: Foundation.Data(contentsOf: file))
        } catch is DecodingError {
            throw FileError.damaged(path: file.path, problem: "it does not name a metric, its value and a step")
        }
    }

    /// Writes what is best so far into a checkpoint, so that a resumed run notices if the folder was lost or replaced.
    func write(to checkpoint: URL) throws {
        guard let record else { return }
        try Self.text(of: record).write(to: checkpoint.appendingPathComponent(Self.recordName))
    }

    /// Compares the folder with a checkpoint. The folder may be newer: its evaluation is repeated then.
    /// - Throws: `FileError.damaged` if it is missing or cannot belong to the run.
    func check(against checkpoint: URL) throws {
        guard let earlier = try run.collective.broadcast({ try Self.record(in: checkpoint) }) else { return }
        let isSound =
            record.map { record in
                record.metric == metric && (record == earlier || record.step > earlier.step && isBetter(record.value, than: earlier.value))
            } ?? false
        guard isSound else {
            throw FileError.damaged(
                path: folder.path,
                problem:
                    "it does not hold the model of step \(earlier.step), the best one when \(checkpoint.lastPathComponent) was written; "
                    + "restore the folder, or start again with another --run-id")
        }
    }

    /// Checks that the metric will be measured.
    /// - Parameter splits: the names of the evaluated splits.
    /// - Throws: `InvalidSetting`.
    func check(splits: [String]) throws {
        guard !splits.contains(where: { metric.hasPrefix($0 + "_") }) else { return }
        let split = metric.hasPrefix("ood_") ? "ood_validation" : "validation"
        throw InvalidSetting("--keep-best \(metric) needs the split \(split), which the data does not have")
    }

    private func isBetter(_ value: Double, than other: Double) -> Bool { isLessBetter ? value < other : value > other }

    private static func text(of record: Record) throws -> Foundation.Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(record)
    }

    private var folder: URL { run.url.appendingPathComponent(RunFolder.bestName, isDirectory: true) }

    func handle(_ event: TrainingEvent) throws {
        guard let save, case .measured(let step, let values) = event, let value = values[metric], value.isFinite else { return }
        if let record, !isBetter(value, than: record.value) { return }
        let new = Record(metric: metric, value: value, step: step)
        let text = try Self.text(of: new)
        // events reach all ranks, whose records stay equal; rank 0 writes
        try run.own?.writeResult(RunFolder.bestName) { url in
            try save(url)
            try text.write(to: url.appendingPathComponent(Self.recordName))
        }
        record = new
    }

    /// Removes the folder if the run starts from the beginning, because its settings may have changed.
    func cutBack(to step: Int) throws {
        guard step == 0, record != nil else { return }
        if run.isFirst { try AtomicFolder.remove(folder) }
        record = nil
    }

    /// Loads the weights of the best evaluation into a model, and measures it again if the last step has another one: the last numbers in
    /// metrics.jsonl are then those of the result. Later evaluations are ignored.
    /// - Parameters:
    ///   - step: the last step.
    ///   - base: the base model of an adapter, if it was moved.
    ///   - families: the decoder families that the folder may hold.
    ///   - note: receives a line with the selected step.
    ///   - evaluate: measures all evaluation sets.
    func restore(
        into model: LanguageModel, step: Int, base: URL?, families: [ModelFamily], note: (String) -> Void, evaluate: () throws -> Void
    ) throws {
        save = nil
        guard let record else { return note("--keep-best: \(metric) was not measured; the result is the model of the last step") }
        note("the result is the model of step \(record.step), which has the best \(metric), \(Quantity.loss(record.value))")
        guard record.step != step else { return }
        let best = try LoadedModel.load(folder.path, from: [], base: base, families: families, note: { _ in }).model
        func take(_ own: [Parameter], from other: [Parameter]) {
            let values = Dictionary(other.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
            for parameter in own where parameter.isTrainable {
                guard let value = values[parameter.name] else { continue }
                value.storage.packsInPassing = parameter.value.storage.packsInPassing
                parameter.value = value
            }
        }
        take(model.decoder.parameters, from: best.decoder.parameters)
        take(model.head?.parameters ?? [], from: best.head?.parameters ?? [])
        try evaluate()
    }
}
