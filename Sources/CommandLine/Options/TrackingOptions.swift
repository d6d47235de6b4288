public import ArgumentParser
public import Study

/// What a run shows its numbers and texts with, besides the files of the run folder.
public struct TrackingOptions: SettingsOptions {
    public typealias Values = TrackingSettings

    @Option(help: "Write an event file for TensorBoard. It is written into the run folder.")
    public var tensorboard = Self.defaults.tensorboard
    @Option(help: "Write metrics.csv into the run folder. Its columns are step, metric and value.")
    public var metricsCsv = Self.defaults.metricsCsv
    @Option(help: "Responses to log per evaluated split. Each is logged with its prompt; in sample-best-of-n they are chosen responses.")
    public var logSamples = Self.defaults.logSamples
    @Option(help: "MLflow server, such as http://localhost:5000. It receives options and metrics. Default: none.")
    public var mlflowUri: String?
    @Option(help: "MLflow experiment of the run. It is created if it does not exist.")
    public var mlflowExperiment = Self.defaults.mlflowExperiment
    @Option(help: "Environment variable with the MLflow token.")
    public var mlflowTokenVariable = Self.defaults.mlflowTokenVariable

    public init() {}
}
