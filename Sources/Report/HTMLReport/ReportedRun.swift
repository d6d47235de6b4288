import Data
import Formats
package import Foundation
package import Runs

/// The data of a run for the HTML report. Parts that cannot be read are omitted with a note.
package struct ReportedRun: Sendable {
    /// The state of a run.
    package enum State: Equatable, Sendable {
        /// The run has finished.
        case finished
        /// The run is still running, or was stopped.
        case unfinished
    }

    /// The name of the run's folder.
    package var name: String
    /// The run's folder.
    package var folder: URL
    /// The run's configuration.
    package var configuration: RunConfiguration
    /// Whether the run has finished.
    package var state: State
    /// The metrics by step, oldest first.
    package var measurements: [Runs.Measurement] = []
    /// The names of the run's tables: in-distribution tables, then out-of-distribution tables, each sorted.
    package var tables: [String] = []
    /// The run time in seconds; nil if the run did not record it.
    package var seconds: Double?
    /// The peak memory in bytes; nil if the run did not record it.
    package var peakMemory: Int?

    /// The machine that the run last used; nil if the run did not record it.
    package var machine: RunMachine?

    /// The stage of the run.
    package var stage: RunStage { configuration.stage }

    /// Reads a run. Parts that are missing or damaged are omitted with a note.
    /// - Returns: nil, with a note, if the folder is not a run folder.
    package init?(_ folder: URL, note: (String) -> Void) {
        self.folder = folder
        let name = folder.standardizedFileURL.lastPathComponent
        self.name = name
        do {
            guard let configuration = try RunConfiguration.read(inRun: folder) else {
                note("\(folder.path) is left out: it is not a run folder, because it has no \(RunConfiguration.fileName)")
                return nil
            }
            self.configuration = configuration
        } catch {
            note("\(folder.path) is left out: \(error)")
            return nil
        }
        /// The result of reading a part of the run; nil, with a note, if reading fails.
        func attempt<Value>(_ what: String, _ read: () throws -> Value) -> Value? {
            do {
                return try read()
            } catch {
                note("\(name): cannot read its \(what): \(error)")
                return nil
            }
        }
        state = attempt("state") { try RunFolder.isFinished(folder) } == true ? .finished : .unfinished
        if state == .unfinished { note("\(name) has not finished; the report shows what it has written so far") }
        let own = PackageVersion.current
        if let version = configuration.versions["swift-rlhf"], version != own {
            note("\(name) was made by swift-rlhf \(version); this is version \(own)")
        }
        let metrics = folder.appendingPathComponent(MetricsFile.fileName)
        if let status = attempt("metrics", { try FileStatus.of(metrics) }), status != nil {
            measurements = attempt("metrics") { try MetricsFile.read(inRun: folder) } ?? []
        } else {
            note("\(name) has no \(MetricsFile.fileName)")
        }
        tables = (attempt("tables") { try Tables.names(inRun: folder) } ?? [])
            .sorted { ($0.hasPrefix("ood_") ? 1 : 0, $0) < ($1.hasPrefix("ood_") ? 1 : 0, $1) }
        if attempt("time", { try RunFolder.hasTiming(inRun: folder) }) == true {
            seconds = attempt("time") { try RunFolder.seconds(inRun: folder) }
            peakMemory = attempt("memory") { try RunFolder.peakMemory(inRun: folder) } ?? nil
            machine = attempt("machine") { try RunFolder.machine(inRun: folder) } ?? nil
        } else {
            note("\(name) has no timing.json; its time and memory are left out")
        }
    }
}
