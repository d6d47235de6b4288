import Diversity
import Eval
internal import Formats
package import Foundation
import Runs
public import Study

/// The comparison of methods from the run folders of a study's seeds.
///
///     DIR/systems.jsonl              what the runs are (`StudiedSystem`)
///     DIR/seed-…/sft                 the supervised run
///     DIR/seed-…/rm                  the reward model's run
///     DIR/seed-…/NAME                the runs that systems.jsonl names: samples, and what was trained to draw them
///
/// What is missing is named, and the rest is compared.
public struct MethodStudyTable: ReportTask {
    /// The study, and how it is measured.
    public var study = MethodStudySettings()
    /// Where runs are, and how they are measured.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    public static var groups: [SettingsGroup<MethodStudyTable>] { [.init(\.study), .init(\.measuring)] }

    public func run(_ listener: ReportListener) throws {
        try validate()
        let folder = URL(fileURLWithPath: study.experimentDir, isDirectory: true)
        try measuring.computing {
            let found = try read(folder, listener)
            try found.write(to: folder)
            listener.show(found.terminalText)
        }
    }

    /// The study in a folder.
    package func read(_ folder: URL, _ listener: ReportListener = ReportListener()) throws -> MethodStudy {
        let systems = try StudiedSystem.read(from: folder)
        let seeds = try ExperimentTable.folders(in: folder, prefix: "seed-").map { String($0.dropFirst("seed-".count)) }
        guard !seeds.isEmpty else {
            throw InvalidSetting("\(folder.path) has no folders seed-… ; run Examples/Experiment/methods.sh first")
        }
        func runs(_ seed: String) -> URL { folder.appendingPathComponent("seed-\(seed)", isDirectory: true) }
        let encoder = try study.embeddingModel.map { try FolderSentenceEncoder(URL(fileURLWithPath: $0, isDirectory: true)) }
        encoder?.notes.forEach(listener.note)
        var missing: [String] = []

        /// What a system wrote in one seed; nil, and named, where that is not there.
        func measure(_ system: StudiedSystem, _ seed: String, against base: StudyPart?) throws -> StudyPart? {
            do {
                let run = try RunFolder.run(named: system.samples, in: runs(seed), expecting: [.bestOfN])
                guard try RunFolder.isFinished(run) else { throw RunFolderError.unfinished(path: run.path) }
                func split(_ name: String) throws -> SystemMeasurement {
                    try SystemMeasurement(
                        Tables.read(system.tableName(of: name), inRun: run), gold: GoldScore(lengthWeight: study.lengthWeight),
                        encoder: encoder, seed: measuring.seed)
                }
                var part = StudyPart(id: try split("test"), ood: try split("ood_test"))
                let own = part
                part.id.compare(with: base?.id ?? own.id)
                part.ood.compare(with: base?.ood ?? own.ood)
                for name in system.runs ?? [] { try part.cost.add(RunFolder.run(named: name, in: runs(seed))) }
                return part
            } catch FileError.missing, RunFolderError.noConfiguration {
                missing.append("seed \(seed): \(system.title) is not there (run \(system.samples))")
            } catch RunFolderError.unfinished {
                missing.append("seed \(seed): \(system.title) did not end (run \(system.samples))")
            } catch RunFolderError.unknownTable(let table, _, _) {
                missing.append("seed \(seed): \(system.title) has no table \(table) (run \(system.samples))")
            }
            return nil
        }

        guard let first = systems.first(where: { $0.base == true }) else { throw InvalidSetting("the study has no base") }
        listener.note("measuring \(first.title)")
        var base = StudiedParts(first)
        for seed in seeds { base.parts[seed] = try measure(first, seed, against: nil) }
        let present = seeds.filter { base.parts[$0] != nil }
        guard !present.isEmpty else {
            throw InvalidSetting("\(folder.path) has no finished run \(first.samples) of \(first.title) in any seed; run the study on")
        }
        if present.count < seeds.count { missing.append("seeds without \(first.title) are left out whole") }
        var others: [StudiedParts] = []
        for system in systems where system.base != true {
            listener.note("measuring \(system.title)")
            var found = StudiedParts(system)
            for seed in present { found.parts[seed] = try measure(system, seed, against: base.parts[seed]) }
            if !found.parts.isEmpty { others.append(found) }
        }
        /// The run of every seed that has ended; what is not there is named.
        func finished(_ name: String, _ stage: RunStage, for what: String) throws -> [URL] {
            try present.compactMap { seed in
                let url = runs(seed).appendingPathComponent(name, isDirectory: true)
                if try RunFolder.isFinished(url), try RunFolder.configuration(at: url, expecting: [stage]) != nil,
                    try FileStatus.of(url.appendingPathComponent(MetricsFile.fileName)) != nil
                {
                    return url
                }
                missing.append("seed \(seed): the run \(name) is not there, or did not end; \(what) is that of the other seeds")
                return nil
            }
        }
        let supervised = try finished("sft", .supervised, for: "the loss of SFT")
        let rewards = try finished("rm", .rewardModel, for: "the reward model's accuracy")
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
            missing: missing.isEmpty ? nil : missing, leftOut: leftOut.isEmpty ? nil : leftOut)
    }
}
