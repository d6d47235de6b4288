public import Data
public import Diversity
public import Eval
public import Runs

/// What a stage is given besides its settings: who hears of it, who may stop it, and what a caller puts in the place of what settings
/// name. All of it may be left out.
public struct StageEnvironment {
    /// Receive every event, after the run folder has it on disk.
    public var sinks: [any MetricSink] = []
    /// Asked behind every step: true ends the run with a checkpoint and `RunStopped`.
    public var shouldStop: () -> Bool = { false }
    /// Asked behind every step: true writes a checkpoint and goes on.
    public var takeCheckpointRequest: () -> Bool = { false }
    /// Told whether there are steps at work that a stop should wait for.
    public var waitsForStep: (Bool) -> Void = { _ in }
    /// Receives tables of results, as text.
    public var show: (String) -> Void = { _ in }
    /// Scores responses in place of the reward that `RewardSettings` name.
    public var reward: (any RewardFunction)?
    /// Takes the place of the data set that `DataSettings` name.
    public var corpus: SummaryCorpus?
    /// The metrics that `DiversitySettings` may name: the built-in ones, and a caller's own.
    public var diversityMetrics = DiversityMetricKind.builtIn
    /// The numbers of single texts that are measured with `DiversitySettings.textMetrics`.
    public var textMetrics: [any TextMetric] = TextMetrics.builtIn
    /// Makes the encoder that is asked for by `DiversitySettings.embeddingServiceUrl`; without it that setting is an error.
    public var embeddingService: ((DiversitySettings) throws -> any TextEncoder)?
    /// Makes the tracker that is asked for by `TrackingSettings.mlflowUri`; without it that setting is an error.
    public var mlflow: ((MLflowRequest) throws -> any Tracker)?

    /// Nobody listens, nobody stops, and settings are all there is.
    public init() {}
}
