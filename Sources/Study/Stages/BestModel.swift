import Formats
import Foundation
import Models
import Runs
import Tensor
import Train

/// Keeps the model of the best evaluation of a run, as `SavingSettings.keepBest` asks for, and puts its weights back when training ends.
///
/// The folder `best/` of the run has the model and `best.json`, which names the metric, its value and the step. A run that is resumed from an
/// earlier checkpoint measures the same values again, so the folder stays valid.
final class BestModel: MetricSink {
    /// What `best.json` says.
    struct Record: Codable, Equatable {
        var metric: String
        var value: Double
        var step: Int
    }

    /// The folder in a run.
    static let folderName = "best"
    private static let recordName = "best.json"

    private let metric: String
    private let isLessBetter: Bool
    private let run: RunFolder
    /// The best evaluation so far; nil before the first.
    private(set) var record: Record?
    /// Writes the model as it is now.
    var save: ((URL) throws -> Void)?

    /// - Parameters:
    ///   - metric: a number of evaluations, such as `validation_loss`; nil keeps nothing.
    ///   - figures: what the stage's evaluations measure.
    /// - Throws: `InvalidSetting` for another name, and for a number of which neither less nor more is better; `FileError`; `DecodingError`.
    init?(_ metric: String?, _ figures: [RunSummary.Figure], in run: RunFolder) throws {
        guard let metric else { return nil }
        let name = metric.replacing("-", with: "_")
        let known = ["validation", "ood_validation"].flatMap { split in
            figures.compactMap { figure in figure.better.map { (name: "\(split)_\(figure.name)", better: $0) } }
        }
        guard let found = known.first(where: { $0.name == name }) else {
            throw InvalidSetting("--keep-best is '\(metric)'; it takes \(known.map(\.name).joined(separator: ", "))")
        }
        (self.metric, isLessBetter, self.run) = (name, found.better == .less, run)
        let file = folder.appendingPathComponent(Self.recordName)
        if try FileStatus.of(file) != nil {
            record = try JSONDecoder().decode(Record.self, from: Foundation.Data(contentsOf: file))
        }
    }

    private var folder: URL { run.url.appendingPathComponent(Self.folderName, isDirectory: true) }

    func handle(_ event: TrainingEvent) throws {
        guard let save, case .measured(let step, let values) = event, let value = values[metric], value.isFinite else { return }
        if let record, isLessBetter ? value >= record.value : value <= record.value { return }
        let new = Record(metric: metric, value: value, step: step)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = try encoder.encode(new)
        try run.writeResult(Self.folderName) { url in
            try save(url)
            try text.write(to: url.appendingPathComponent(Self.recordName))
        }
        record = new
    }

    /// A run that begins anew may have other settings than the one that wrote the folder.
    func cutBack(to step: Int) throws {
        guard step == 0, record != nil else { return }
        try FileManager.default.removeItem(at: folder)
        record = nil
    }

    /// Puts the weights of the best evaluation into a model. Evaluations that follow do not count.
    /// - Parameter note: receives one line about what was chosen.
    func restore(into model: LanguageModel, note: (String) -> Void) throws {
        save = nil
        guard let record else { return note("--keep-best: \(metric) was not measured; the result is the model of the last step") }
        note("the result is the model of step \(record.step), which has the best \(metric), \(Quantity.loss(record.value))")
        let best = try LoadedModel.load(folder.path, from: [], note: { _ in }).model
        func take(_ own: [Parameter], from other: [Parameter]) {
            let values = Dictionary(other.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
            for parameter in own where parameter.isTrainable {
                if let value = values[parameter.name] { parameter.value = value }
            }
        }
        take(model.decoder.parameters, from: best.decoder.parameters)
        take(model.head?.parameters ?? [], from: best.head?.parameters ?? [])
    }
}
