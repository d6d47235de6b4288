import Data
import Diversity
import Eval
import Formats
import Foundation
import Runs
import Study

/// Reads the samples of a study's systems. Missing or damaged runs are noted with their path, and the others are measured.
struct StudyReader {
    /// The folder of the study.
    let folder: URL
    /// The penalty in the gold score for a summary twice as long as its reference.
    let lengthWeight: Double
    /// The seed of every random draw.
    let seed: UInt64
    /// Measures embedding diversities; nil to skip them.
    let embeddings: StudyEmbeddings?
    /// Notes about missing and damaged runs, one line each.
    private(set) var missing: [String] = []

    init(folder: URL, lengthWeight: Double, seed: UInt64, embeddings: StudyEmbeddings?) {
        (self.folder, self.lengthWeight, self.seed, self.embeddings) = (folder, lengthWeight, seed, embeddings)
    }

    /// The folder of a seed's runs.
    func runs(_ seed: String) -> URL { folder.appendingPathComponent("seed-\(seed)", isDirectory: true) }

    /// Adds a line to `missing`.
    mutating func note(_ line: String) { missing.append(line) }

    /// The seeds without copies of other seeds. Copies are noted.
    mutating func distinct(_ seeds: [String], by system: StudiedSystem) throws -> [String] {
        let tables = ["test", "ood_test"].map(system.tableName)
        let copies = try SeedCopies.find(seeds.map { ($0, runs($0).appendingPathComponent(system.samples, isDirectory: true)) }, tables)
        for seed in seeds {
            if let copy = copies[seed] {
                missing.append("seed \(seed) is left out entirely: it is a copy of seed \(copy.original): \(copy.reason)")
            }
        }
        return seeds.filter { copies[$0] == nil }
    }

    // MARK: Systems

    /// Measures a system in one seed. Nil, with a note, if its samples are missing or damaged, or come from another seed or
    /// other prompts.
    /// - Parameter base: the base's title and its measurements in that seed; nil for the base itself.
    mutating func measure(_ system: StudiedSystem, _ seed: String, against base: (title: String, part: StudyPart)?) throws -> StudyPart? {
        func named(_ what: String) -> String { "seed \(seed): \(system.title) \(what)" }
        do {
            let run = try RunFolder.run(named: system.samples, in: runs(seed), expecting: [.bestOfN])
            guard try RunFolder.isFinished(run) else { throw RunFolderError.unfinished(path: run.path) }
            let model = try SampledModel(ofSamples: run)
            if let model, let other = try model.foreignSeed(than: runs(seed)) {
                missing.append(named("is left out: \(run.path) has samples of \(model.named), which is a run of \(other)"))
                return nil
            }
            let isOfPolicy = model?.isTrainedPolicy ?? false
            var part = StudyPart(
                id: try split("test", of: system, run, isOfPolicy: isOfPolicy),
                ood: try split("ood_test", of: system, run, isOfPolicy: isOfPolicy))
            if let base {
                for (own, other) in [(part.id, base.part.id), (part.ood, base.part.ood)] {
                    let common = own.measurement.inputs.intersection(other.measurement.inputs).count
                    guard common > 0 else {
                        missing.append(named("is left out: \(own.file.path) has other prompts than \(other.file.path)"))
                        return nil
                    }
                    let (count, all) = (own.measurement.inputs.count, other.measurement.inputs.count)
                    guard common < count || common < all else { continue }
                    let others = count > common ? " and \(Counted(count - common, "other"))" : ""
                    missing.append(named("has \(common) of the \(Counted(all, "prompt")) of \(base.title)\(others) (\(own.file.path))"))
                }
            }
            let own = part
            part.id.measurement.compare(with: (base?.part ?? own).id.measurement)
            part.ood.measurement.compare(with: (base?.part ?? own).ood.measurement)
            noteColumns(part, system, seed, base?.part)
            part.cost = try cost(of: system, seed)
            return part
        } catch FileError.missing, RunFolderError.noConfiguration {
            missing.append(named("is missing (run \(system.samples))"))
        } catch RunFolderError.unfinished {
            missing.append(named("is unfinished (run \(system.samples))"))
        } catch RunFolderError.unknownTable(let table, _, _) {
            missing.append(named("has no table \(table) (run \(system.samples))"))
        } catch  where Self.isDamage(error) {
            missing.append(named("is left out: \(error)"))
        }
        return nil
    }

    private func split(_ name: String, of system: StudiedSystem, _ run: URL, isOfPolicy: Bool) throws -> StudyPart.Split {
        let table = system.tableName(of: name)
        let rows = try MeasuredTable.rows(table, inRun: run)
        let file = Tables.file(of: table, inRun: run)
        let gold = GoldScore(lengthWeight: lengthWeight)
        let measurement = try SystemMeasurement(rows, gold: gold, seed: seed, isOfPolicy: isOfPolicy) {
            try embeddings?.spread(of: rows, in: file, seed: seed)
        }
        return StudyPart.Split(measurement, file: file)
    }

    /// Notes the metrics that no row of a table has, so that the report lacks them for the system.
    private mutating func noteColumns(_ part: StudyPart, _ system: StudiedSystem, _ seed: String, _ base: StudyPart?) {
        for (own, other) in [(part.id, base?.id), (part.ood, base?.ood)] {
            for metric in Experiment.Metric.ofRows + [.kl] where own.measurement.prompts[metric] == nil {
                guard metric == .reward || other?.measurement.prompts[metric] != nil else { continue }
                missing.append("seed \(seed): \(system.title) has no \(metric.title) (\(own.file.path))")
            }
        }
    }

    /// The seconds and memory of the runs that make a system; empty, with a note, if one of them did not record its time.
    private mutating func cost(of system: StudiedSystem, _ seed: String) throws -> StudyPart.Cost {
        var cost = StudyPart.Cost()
        for name in system.runs ?? [] {
            do {
                let run = try RunFolder.run(named: name, in: runs(seed))
                guard try RunFolder.isFinished(run) else { throw RunFolderError.unfinished(path: run.path) }
                guard try RunFolder.hasTiming(inRun: run) else {
                    throw FileError.missing(path: run.appendingPathComponent("timing.json").path)
                }
                try cost.add(run)
            } catch  where Self.isAbsence(error) || Self.isDamage(error) {
                missing.append("seed \(seed): seconds and memory of \(system.title) are left out: \(error)")
                return StudyPart.Cost()
            }
        }
        return cost
    }

    // MARK: Models

    /// The finished run of each seed. Missing and damaged runs are noted, and so are runs that lack a metric that other seeds
    /// have; these are left out.
    mutating func finished(
        _ name: String, _ stage: RunStage, among seeds: [String], with metrics: [String], for what: String
    ) throws -> [URL] {
        var found: [(seed: String, url: URL, metrics: [Runs.Measurement])] = []
        for seed in seeds {
            let url = runs(seed).appendingPathComponent(name, isDirectory: true)
            do {
                if try RunFolder.isFinished(url), try RunFolder.configuration(at: url, expecting: [stage]) != nil,
                    try FileStatus.of(url.appendingPathComponent(MetricsFile.fileName)) != nil
                {
                    found.append((seed, url, try MetricsFile.read(inRun: url)))
                    continue
                }
                missing.append("seed \(seed): the run \(name) is missing or unfinished; \(what) is that of the other seeds")
            } catch  where Self.isDamage(error) {
                missing.append("seed \(seed): \(what) is that of the other seeds: \(error)")
            }
        }
        for metric in metrics {
            let measured = found.filter { $0.metrics.last(of: metric) != nil }
            guard !measured.isEmpty else { continue }
            for (seed, url, _) in found where !measured.contains(where: { $0.seed == seed }) {
                let file = url.appendingPathComponent(MetricsFile.fileName)
                missing.append("seed \(seed): \(what) is that of the other seeds: \(file.path) has no \(metric)")
            }
            found = measured
        }
        return found.map(\.url)
    }

    // MARK: Errors

    /// Whether an error means that something is missing.
    private static func isAbsence(_ error: any Error) -> Bool {
        switch error {
        case FileError.missing, RunFolderError.noConfiguration, RunFolderError.unfinished: true
        default: false
        }
    }

    /// Whether an error means that a file or folder is damaged or of the wrong kind. Other errors, such as an unreadable file,
    /// end the report.
    private static func isDamage(_ error: any Error) -> Bool {
        switch error {
        case FileError.damaged, FileError.notAFile, FileError.notAFolder: true
        case RunFolderError.notARunFolder, RunFolderError.wrongStage, RunFolderError.shortened, RunFolderError.grown,
            RunFolderError.changedLines, RunFolderError.badLine:
            true
        case FormatError.badRow, FormatError.malformedFile, FormatError.badFile, FormatError.damagedArchive: true
        case ResultError.noRows, ResultError.endsEarly: true
        default: false
        }
    }
}
