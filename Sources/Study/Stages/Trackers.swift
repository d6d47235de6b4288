public import Foundation
public import Runs

/// The information from which a tracker for an MLflow server is made.
public struct MLflowRequest {
    /// The tracking settings, with the server's address.
    public var settings: TrackingSettings
    /// The run folder.
    public var run: URL
    /// The configuration of the run.
    public var configuration: RunConfiguration
}

/// Makes the trackers that the settings ask for. A failing tracker never stops a run.
enum Trackers {
    /// The sinks of all trackers.
    /// - Parameters:
    ///   - logged: the tables whose texts are displayed; nil if the stage writes no texts.
    ///   - note: receives messages of the trackers.
    /// - Throws: `InvalidSetting` for a tracker that the environment does not provide.
    static func sinks(
        _ settings: TrackingSettings, _ folder: RunFolder, _ environment: StageEnvironment, logged: LoggedTables?,
        note: @escaping (String) -> Void
    ) throws -> [any MetricSink] {
        let url = folder.url
        var trackers: [any Tracker] = []
        if settings.tensorboard { trackers.append(TensorBoardSink(inRun: url, options: folder.configuration.options)) }
        if settings.metricsCsv { trackers.append(MetricsCSV(inRun: url)) }
        if settings.mlflowUri != nil {
            guard let make = environment.mlflow else {
                throw InvalidSetting("--mlflow-uri needs StageEnvironment.mlflow, which makes its tracker")
            }
            trackers.append(try make(MLflowRequest(settings: settings, run: url, configuration: folder.configuration)))
        }
        let guarded: [any MetricSink] = trackers.map { TrackerGuard($0, note: note) }
        guard settings.logSamples > 0 else { return guarded }
        guard let logged else {
            note("--log-samples has no effect: \(folder.configuration.program) writes no texts")
            return guarded
        }
        return guarded + [SampleLog(count: settings.logSamples, of: logged, note: note)]
    }
}
