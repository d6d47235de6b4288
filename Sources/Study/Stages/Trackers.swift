public import Foundation
public import Runs

/// What an MLflow server is told of a run.
public struct MLflowRequest {
    /// The settings that ask for it.
    public var settings: TrackingSettings
    /// The run folder.
    public var run: URL
    /// What the run is run with.
    public var configuration: RunConfiguration
}

/// The trackers that settings ask for. None of them can stop a run.
enum Trackers {
    /// - Parameter note: receives what trackers say of themselves.
    /// - Throws: `InvalidSetting` for a tracker that is not there.
    static func sinks(
        _ settings: TrackingSettings, _ folder: RunFolder, _ environment: StageEnvironment, note: @escaping (String) -> Void
    ) throws -> [any MetricSink] {
        let url = folder.url
        var trackers: [any Tracker] = []
        if settings.tensorboard { trackers.append(TensorBoardSink(inRun: url, options: folder.configuration.options)) }
        if settings.metricsCsv { trackers.append(MetricsCSV(inRun: url)) }
        if settings.mlflowUri != nil {
            guard let make = environment.mlflow else {
                throw InvalidSetting("--mlflow-uri needs a tracker in the environment of the stage")
            }
            trackers.append(try make(MLflowRequest(settings: settings, run: url, configuration: folder.configuration)))
        }
        let guarded: [any MetricSink] = trackers.map { TrackerGuard($0, note: note) }
        return guarded + (settings.logSamples > 0 ? [SampleLog(count: settings.logSamples, note: note)] : [])
    }
}
