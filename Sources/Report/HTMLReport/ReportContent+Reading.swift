import Data
import Formats
package import Foundation
import Runs

extension ReportContent {
    /// Reads runs by name. What is missing or damaged is noted, and the rest is read.
    /// - Parameters:
    ///   - names: ids of runs, paths of runs, or paths of folders that hold runs.
    ///   - parent: where runs lie that are named by their ids.
    package init(reading names: [String], in parent: URL) throws {
        self.init(runs: [], samples: [], folders: [], missing: [])
        for name in names {
            let direct = URL(fileURLWithPath: name, isDirectory: true)
            let below = parent.appendingPathComponent(name, isDirectory: true)
            guard let folder = try [direct, below].first(where: { try FileStatus.of($0)?.kind == .folder }) else {
                missing.append("there is no run folder \(direct.path), nor one in \(parent.path)")
                continue
            }
            let found = try Self.runFolders(in: folder)
            if found.isEmpty { missing.append("\(folder.path) has no run in it") }
            for url in found {
                if let run = ReportedRun(url, note: { missing.append($0) }) { runs.append(run) }
                let above = url.deletingLastPathComponent()
                if !folders.contains(above) { folders.append(above) }
            }
        }
        for run in runs where run.stage == .bestOfN { readSamples(of: run) }
    }

    /// A heading of the report where none is given.
    package var title: String {
        folders.isEmpty ? "Runs" : folders.map(\.lastPathComponent).joined(separator: ", ")
    }

    /// The folder itself where it is a run, or the runs directly in it, in the order of their stages.
    private static func runFolders(in folder: URL) throws -> [URL] {
        func isRun(_ url: URL) throws -> Bool { try FileStatus.of(url.appendingPathComponent(RunConfiguration.fileName)) != nil }
        if try isRun(folder) { return [folder] }
        let entries = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let runs = try entries.map { folder.appendingPathComponent($0, isDirectory: true) }.filter(isRun)
        let order = RunStage.allCases
        func place(_ url: URL) -> Int {
            let stage = (try? RunConfiguration.read(inRun: url)).flatMap { $0 }.flatMap { order.firstIndex(of: $0.stage) }
            return stage ?? order.count
        }
        return runs.map { ($0, place($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
    }

    private mutating func readSamples(of run: ReportedRun) {
        for table in run.tables {
            let isBest = table.hasSuffix("_best_of_n")
            do {
                let rows = try MeasuredTable.rows(table, inRun: run.folder, mayBeScored: true)
                samples.append(
                    Sample(
                        system: isBest ? "\(run.name), best" : run.name, run: run.name, table: table,
                        split: isBest ? String(table.dropLast("_best_of_n".count)) : table, rows: rows))
            } catch {
                missing.append("\(run.name): the table \(table) is left out: \(error)")
            }
        }
    }
}
