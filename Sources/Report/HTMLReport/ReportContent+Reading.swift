import Data
import Formats
package import Foundation
import Runs
import Study

extension ReportContent {
    /// Reads runs by name. Missing and damaged parts are noted in `missing`, and the rest is read.
    /// - Parameters:
    ///   - names: IDs of runs, paths of runs, or paths of folders that contain runs.
    ///   - parent: the folder of runs that are named by ID.
    ///   - seed: the seed of bootstrap resampling.
    /// - Throws: `FileError`.
    package init(reading names: [String], in parent: URL, seed: UInt64 = 42) throws {
        self.init(runs: [], samples: [], folders: [], missing: [])
        for name in names {
            let direct = URL(fileURLWithPath: name, isDirectory: true)
            let below = parent.appendingPathComponent(name, isDirectory: true)
            guard let folder = try [direct, below].first(where: { try FileStatus.of($0)?.kind == .folder }) else {
                missing.append("there is no run folder \(direct.path), and none of that name in \(parent.path)")
                continue
            }
            let found = try Self.runFolders(in: folder)
            if found.isEmpty { missing.append("\(folder.path) contains no runs") }
            if found != [folder], !folders.contains(folder) { folders.append(folder) }
            for url in found where !runs.contains(where: { $0.folder.standardizedFileURL == url.standardizedFileURL }) {
                if let run = ReportedRun(url, note: { missing.append($0) }) { runs.append(run) }
                let above = url.deletingLastPathComponent()
                if !folders.contains(above) { folders.append(above) }
            }
        }
        readSamples()
        noteRewards()
        readSystems(seed: seed)
    }

    /// The default heading of the report.
    package var title: String {
        let names = (folders.count > 3 ? Array(folders.prefix(1)) : folders).map(\.lastPathComponent)
        return "swift-rlhf report" + (names.isEmpty ? "" : ": \(names.joined(separator: ", "))")
    }

    /// The folder itself if it is a run; else the runs directly in it, ordered by stage; else the runs in its subfolders, such
    /// as the seeds of a study.
    private static func runFolders(in folder: URL, isInside: Bool = false) throws -> [URL] {
        func isRun(_ url: URL) throws -> Bool { try FileStatus.of(url.appendingPathComponent(RunConfiguration.fileName)) != nil }
        if try isRun(folder) { return [folder] }
        let entries = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let below = entries.map { folder.appendingPathComponent($0, isDirectory: true) }
        let runs = try below.filter(isRun)
        guard !runs.isEmpty || isInside else {
            return try below.filter { try FileStatus.of($0)?.kind == .folder }.flatMap { try runFolders(in: $0, isInside: true) }
        }
        let order = RunStage.allCases
        func place(_ url: URL) -> Int {
            let stage = (try? RunConfiguration.read(inRun: url)).flatMap { $0 }.flatMap { order.firstIndex(of: $0.stage) }
            return stage ?? order.count
        }
        return runs.map { ($0, place($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
    }

    /// Reads the tables of samples, and names the systems that generated them.
    private mutating func readSamples() {
        var names = SystemNames()
        var found: [(sample: Sample, rank: Int, folder: String)] = []
        for run in runs where run.stage == .bestOfN {
            if run.tables.isEmpty { missing.append("\(run.name) has no tables of samples") }
            for table in run.tables {
                let isBest = table.hasSuffix(Self.bestSuffix)
                let split = isBest ? String(table.dropLast(Self.bestSuffix.count)) : table
                do {
                    // the tables of an unfinished run cannot be checked, since it has no final checkpoint
                    let rows =
                        run.state == .finished
                        ? try MeasuredTable.rows(table, inRun: run.folder, mayBeScored: true) : try Tables.read(table, inRun: run.folder)
                    let name = names.name(of: run, table: table, split: split, rows: rows)
                    var sample = Sample(system: name.text, run: run.name, table: table, split: split, rows: rows)
                    (sample.isBase, sample.isOfReference) = (name.rank == 0, name.isOfReference)
                    found.append((sample, name.rank, run.folder.deletingLastPathComponent().lastPathComponent))
                } catch {
                    missing.append("\(run.name): the table \(table) is left out: \(error)")
                }
            }
        }
        // systems with equal names are distinguished by their runs, and runs with equal names by their folders
        let runsOf = Dictionary(grouping: found.indices) { found[$0].sample.system }
            .mapValues { Set($0.map { "\(found[$0].folder)/\(found[$0].sample.run)" }) }
        for place in found.indices {
            let (name, run, folder) = (found[place].sample.system, found[place].sample.run, found[place].folder)
            guard let all = runsOf[name], all.count > 1 else { continue }
            let isFolderEnough = Set(all.map { $0.split(separator: "/").last ?? "" }).count == 1
            let isRunEnough = Set(all.map { $0.split(separator: "/").last ?? "" }).count == all.count
            found[place].sample.system =
                isFolderEnough ? "\(name) (\(folder))" : isRunEnough ? "\(name) (\(run))" : "\(name) (\(folder)/\(run))"
        }
        samples = found.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.map(\.element.sample)
    }

    /// Names the runs of samples whose rewards are on another scale than those of the first of them.
    private mutating func noteRewards() {
        var base: (run: ReportedRun, reward: SampleReward)?
        for run in runs where run.stage == .bestOfN {
            do {
                guard let reward = try SampleReward(ofSamples: run.folder) else { continue }
                guard let first = base else {
                    base = (run, reward)
                    continue
                }
                if try reward.differs(from: first.reward) {
                    missing.append(
                        "\(first.run.name) was scored by \(first.reward), \(run.name) by \(reward): their rewards are on different scales "
                            + "and must not be compared.")
                }
            } catch {
                missing.append("\(run.name): \(error)")
            }
        }
    }

    /// The suffix of table names for selected samples.
    private static let bestSuffix = "_best_of_n"

    /// Reads the comparisons stored next to the runs. Without any, measures the systems from the samples.
    private mutating func readSystems(seed: UInt64) {
        for folder in folders {
            for file in SystemsFile.all {
                let url = folder.appendingPathComponent(file.name)
                do {
                    guard try FileStatus.of(url)?.kind == .file else { continue }
                    systems.append(try file.read(folder))
                    break
                } catch {
                    missing.append("\(url.path) is left out: \(error)")
                }
            }
        }
        for place in systems.indices { systems[place].addCounts(from: samples) }
        guard systems.isEmpty, !samples.isEmpty else { return }
        let names = SystemsFile.all.map(\.name)
        missing.append(
            "There is no \(names.dropLast().joined(separator: ", ")) or \(names.last ?? "") next to the runs. The metrics of systems are "
                + "measured from their samples, without ROUGE, gold score and embeddings. To add these, run rlhf-report compare.")
        var notes: [String] = []
        let dataset = runs.first { $0.stage == .bestOfN }.map { RunDataset($0.configuration).name } ?? "unknown"
        systems = [ReportedSystems(measuring: samples, dataset: dataset, seed: seed) { notes.append($0) }]
        missing += notes
    }
}

extension ReportedSystems {
    /// Adds the number of prompts of systems whose tables are available, and replaces N in the name of best-of-N by its number
    /// if it is unique.
    fileprivate mutating func addCounts(from samples: [ReportContent.Sample]) {
        for place in systems.indices {
            if systems[place].name == "best-of-N" {
                let names = Set(samples.map(\.system).filter { $0.hasPrefix("best-of-") })
                if let name = names.first, names.count == 1 { systems[place].name = name }
            }
            for sample in samples where sample.system == systems[place].name {
                let prompts = Set(sample.rows.map(\.id)).count
                if sample.isOutOfDistribution { systems[place].promptsOOD = prompts } else { systems[place].promptsID = prompts }
            }
        }
    }
}
