public import ArgumentParser
public import Study

/// What a run shows its numbers and texts with, besides the files of the run folder.
public struct TrackingOptions: SettingsOptions {
    public typealias Values = TrackingSettings

    @Option(help: "Whether an event file for TensorBoard is written into the run folder.")
    public var tensorboard = Self.defaults.tensorboard
    @Option(help: "Whether metrics.csv is written into the run folder: step, metric, value.")
    public var metricsCsv = Self.defaults.metricsCsv
    @Option(help: "Prompts and responses of each evaluated split that are shown.")
    public var logSamples = Self.defaults.logSamples
    @Option(help: "The MLflow server that receives options and numbers, such as http://localhost:5000.")
    public var mlflowUri: String?
    @Option(help: "The MLflow experiment that the run belongs to; it is made when it is absent.")
    public var mlflowExperiment = Self.defaults.mlflowExperiment
    @Option(help: "The variable of the environment that holds a token for the MLflow server.")
    public var mlflowTokenVariable = Self.defaults.mlflowTokenVariable

    public init() {}
}
