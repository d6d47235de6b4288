package import Diversity
import Eval
internal import Formats
package import Foundation
import Runs
public import Study

/// Compares methods, from the run folders of a study's seeds.
///
///     DIR/systems.jsonl              the systems and their runs (`StudiedSystem`)
///     DIR/seed-…/sft                 the supervised run
///     DIR/seed-…/rm                  the reward model's run
///     DIR/seed-…/NAME                the runs that systems.jsonl names: samples, and the training runs behind them
///
/// Missing systems and seeds are listed in the result, and the others are compared.
public struct MethodStudyTable: ReportTask {
    /// The study, and the levels of comparison.
    public var study = MethodStudySettings()
    /// The seed and the number of threads for measuring.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    /// The groups of settings.
    public static var groups: [SettingsGroup<MethodStudyTable>] { [.init(\.study), .init(\.measuring)] }

    /// Measures every system, and writes `methods.json`, `methods.md` and `methods.svg` into the study's folder.
    /// - Throws: `InvalidSetting` if the manifest, the seeds or the base's samples are missing; `FileError`; `FormatError`;
    ///   `ResultError`.
    public func run(_ listener: ReportListener) throws {
        try validate()
        let folder = URL(fileURLWithPath: study.experimentDir, isDirectory: true)
        try measuring.computing {
            let found = try read(folder, listener, keepsEmbeddings: true)
            try found.write(to: folder)
            listener.show(found.terminalText)
        }
    }

    /// Measures the study in a folder.
    /// - Parameters:
    ///   - encoder: the sentence encoder. Default: the one in the folder that the settings name.
    ///   - keepsEmbeddings: whether embedding diversities are cached in the folder for the next report.
    package func read(
        _ folder: URL, _ listener: ReportListener = ReportListener(), encoder: (any TextEncoder)? = nil, keepsEmbeddings: Bool = false
    ) throws -> MethodStudy {
        let systems = try StudiedSystem.read(from: folder)
        let folders = try ExperimentTable.folders(in: folder, prefix: "seed-").map { String($0.dropFirst("seed-".count)) }
        guard !folders.isEmpty else {
            throw InvalidSetting("\(folder.path) has no folders seed-…; run Examples/Experiment/methods.sh first")
        }
        guard let first = systems.first(where: { $0.base == true }) else { throw InvalidSetting("the study has no base system") }
        let embeddings = try study.embeddingModel.map { path in
            try StudyEmbeddings(
                encoder ?? ReportModels.encoder(path, option: "--embedding-model", note: listener.note),
                of: URL(fileURLWithPath: path, isDirectory: true), study: folder)
        }
        var reader = StudyReader(folder: folder, lengthWeight: study.lengthWeight, seed: measuring.seed, embeddings: embeddings)
        func tell(_ system: StudiedSystem, _ number: Int) { listener.note("measuring \(system.title) (\(number) of \(systems.count))") }

        let seeds = try reader.distinct(folders, by: first)
        tell(first, 1)
        var base = StudiedParts(first)
        for seed in seeds { base.parts[seed] = try reader.measure(first, seed, against: nil) }
        let present = seeds.filter { base.parts[$0] != nil }
        guard !present.isEmpty else {
            throw InvalidSetting(
                "no seed in \(folder.path) has a finished run \(first.samples) (\(first.title)); continue the study: "
                    + (reader.missing.first ?? ""))
        }
        if present.count < seeds.count { reader.note("seeds without \(first.title) are left out entirely") }
        var others: [StudiedParts] = []
        for (number, system) in zip(2..., systems.filter { $0.base != true }) {
            tell(system, number)
            var found = StudiedParts(system)
            for seed in present {
                found.parts[seed] = try reader.measure(system, seed, against: base.parts[seed].map { (first.title, $0) })
            }
            if !found.parts.isEmpty { others.append(found) }
            // keeps the embeddings measured so far if the report is interrupted
            if keepsEmbeddings { try embeddings?.save() }
        }
        if let embeddings, embeddings.found > 0 {
            listener.note(
                "embeddings: \(Counted(embeddings.found, "table")) reused from an earlier report (\(StudyEmbeddings.fileName)), "
                    + "\(embeddings.measured) measured now")
        }
        let supervised = try reader.finished(
            "sft", .supervised, among: present, with: ["validation_loss", "ood_validation_loss"], for: "the loss of SFT")
        let rewards = try reader.finished(
            "rm", .rewardModel, among: present, with: ["validation_accuracy", "ood_validation_accuracy"], for: "the reward model's accuracy"
        )
        let configuration = try supervised.first.flatMap { try RunFolder.configuration(at: $0, expecting: [.supervised]) }
        let lines = MethodLines(base: base, systems: others, seeds: present)
        let all = [base] + others
        let leftOut = all.flatMap { system in
            let own = present.filter { system.parts[$0] != nil }
            return system.measured(in: own).leftOut(seeds: own)
        }
        return MethodStudy(
            dataset: PipelineComparison.dataset(configuration), seeds: present,
            supervisedLoss: try ExperimentTable.pair("validation_loss", "ood_validation_loss", supervised, in: .notNegative),
            rewardModelAccuracy: try ExperimentTable.pair("validation_accuracy", "ood_validation_accuracy", rewards, in: .share),
            systems: all.map { $0.system(among: present, against: $0.system == first ? nil : base) },
            levels: lines.levels(of: .reward, at: study.rewardGains) + lines.levels(of: .kl, at: study.klLevels),
            missing: reader.missing.isEmpty ? nil : reader.missing, leftOut: leftOut.isEmpty ? nil : leftOut)
    }
}
