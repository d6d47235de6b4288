import Data
import Formats
package import Foundation
package import Runs

/// A run as the HTML report sees it: what could be read of it, and what could not.
package struct ReportedRun: Sendable {
    /// How far a run has come.
    package enum State: Equatable, Sendable {
        /// It has ended.
        case finished
        /// It has not ended: it is still at work, or was stopped.
        case unfinished
    }

    /// Its folder's name.
    package var name: String
    /// Where it is.
    package var folder: URL
    /// What it was run with.
    package var configuration: RunConfiguration
    /// Whether it has ended.
    package var state: State
    /// Numbers by step, oldest first; empty where there are none.
    package var measurements: [Runs.Measurement] = []
    /// The names of its tables: those in distribution, then those out of it, each sorted.
    package var tables: [String] = []
    /// Seconds of work; nil where the run does not say.
    package var seconds: Double?
    /// The greatest memory in bytes; nil where the run does not say.
    package var peakMemory: Int?

    /// The machine that it was last at work on; nil where the run does not say.
    package var machine: RunMachine?

    /// What it does.
    package var stage: RunStage { configuration.stage }

    /// Reads what there is of a run. What is missing or damaged is noted, and the rest is read.
    /// - Returns: nil, and a note, for a folder that holds no run.
    package init?(_ folder: URL, note: (String) -> Void) {
        self.folder = folder
        let name = folder.standardizedFileURL.lastPathComponent
        self.name = name
        do {
            guard let configuration = try RunConfiguration.read(inRun: folder) else {
                note("\(folder.path) is left out: it has no \(RunConfiguration.fileName), so it is not a run folder")
                return nil
            }
            self.configuration = configuration
        } catch {
            note("\(folder.path) is left out: \(error)")
            return nil
        }
        /// What a reading gives; nil, and a note, where it fails.
        func attempt<Value>(_ what: String, _ read: () throws -> Value) -> Value? {
            do {
                return try read()
            } catch {
                note("\(name): no \(what): \(error)")
                return nil
            }
        }
        state = attempt("state") { try RunFolder.isFinished(folder) } == true ? .finished : .unfinished
        if state == .unfinished { note("\(name) has not ended; the report shows what it has written so far") }
        let own = PackageVersion.current
        if let version = configuration.versions["swift-rlhf"], version != own {
            note("\(name) was made by swift-rlhf \(version), and this is \(own)")
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
