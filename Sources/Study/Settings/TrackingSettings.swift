import Runs

/// What a run shows its numbers and texts with, besides the files of the run folder.
public struct TrackingSettings: Settings {
    /// Whether an event file for TensorBoard is written into the run folder.
    public var tensorboard = true
    /// Whether metrics.csv is written into the run folder: step, metric, value.
    public var metricsCsv = false
    /// Prompts and responses of each evaluated split that are shown.
    public var logSamples = 0
    /// The MLflow server that receives options and numbers, such as http://localhost:5000.
    public var mlflowUri: String?
    /// The MLflow experiment that the run belongs to; it is made when it is absent.
    public var mlflowExperiment = "swift-rlhf"
    /// The variable of the environment that holds a token for the MLflow server.
    public var mlflowTokenVariable = "MLFLOW_TRACKING_TOKEN"

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard logSamples >= 0 else { throw InvalidSetting("--log-samples must not be negative") }
        guard !mlflowExperiment.isEmpty else { throw InvalidSetting("--mlflow-experiment must not be empty") }
    }
}

/// A stage whose steps can be followed while it runs.
public protocol TrackedStage: Stage {
    /// What shows them.
    var tracking: TrackingSettings { get set }
}
