public import Runs

/// Settings of the logs of metrics and texts, besides the standard files of the run folder.
public struct TrackingSettings: Settings {
    /// Whether an event file for TensorBoard is written into the run folder.
    public var tensorboard = true
    /// Whether metrics.csv is written into the run folder, with the columns step, metric and value.
    public var metricsCsv = false
    /// The number of prompts and responses that are logged of each evaluated split; in best-of-N sampling, of the chosen responses.
    public var logSamples = 0
    /// The MLflow server that receives options and metrics, such as http://localhost:5000. Default: none.
    public var mlflowUri: String?
    /// The MLflow experiment of the run; it is created if it does not exist.
    public var mlflowExperiment = "swift-rlhf"
    /// The environment variable that holds a token for the MLflow server.
    public var mlflowTokenVariable = "MLFLOW_TRACKING_TOKEN"

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard logSamples >= 0 else { throw InvalidSetting("--log-samples must not be negative") }
        guard !mlflowExperiment.isEmpty else { throw InvalidSetting("--mlflow-experiment must not be empty") }
    }
}

/// A stage whose metrics can be tracked while it runs.
public protocol TrackedStage: Stage {
    /// The tracking settings.
    var tracking: TrackingSettings { get set }
    /// The tables whose texts `TrackingSettings.logSamples` displays; nil if the stage writes no texts.
    static var loggedTables: LoggedTables? { get }
}

extension TrackedStage {
    /// Default: the tables of evaluations.
    public static var loggedTables: LoggedTables? { .evaluations }
}
