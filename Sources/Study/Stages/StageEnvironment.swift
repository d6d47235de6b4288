public import Data
public import Diversity
public import Eval
public import Models
public import Runs
public import Train

/// The environment of a stage besides its settings: sinks for events, requests to stop or save, and replacements for what the
/// settings name. Every part is optional.
public struct StageEnvironment {
    /// Sinks that receive every event, after it is written to the run folder.
    public var sinks: [any MetricSink] = []
    /// Called after every step; true ends the run with a checkpoint and `RunStopped`.
    public var shouldStop: () -> Bool = { false }
    /// Called after every step; true writes a checkpoint, after which the run continues.
    public var takeCheckpointRequest: () -> Bool = { false }
    /// Called with true when steps start for whose end a stop should wait, and with false when they are over.
    public var waitsForStep: (Bool) -> Void = { _ in }
    /// Receives tables of results, as text.
    public var show: (String) -> Void = { _ in }
    /// A reward function that replaces the one in `RewardSettings`.
    public var reward: (any RewardFunction)?
    /// A corpus that replaces the data set in `DataSettings`.
    public var corpus: SummaryCorpus?
    /// The decoder families that model folders may hold. Default: the built-in ones. Custom families can be added.
    public var families = ModelFamily.builtIn
    /// The metrics that `DiversitySettings` may name. Default: the built-in ones. Custom metrics can be added.
    public var diversityMetrics = DiversityMetricKind.builtIn
    /// The metrics of single texts that `DiversitySettings.textMetrics` enables.
    public var textMetrics: [any TextMetric] = TextMetrics.builtIn
    /// Creates the encoder for `DiversitySettings.embeddingServiceUrl`; without it, that setting is an error.
    public var embeddingService: ((DiversitySettings) throws -> any TextEncoder)?
    /// Creates the tracker for `TrackingSettings.mlflowUri`; without it, that setting is an error.
    public var mlflow: ((MLflowRequest) throws -> any Tracker)?

    /// The processes that run the stage together. Each of them runs the same stage with the same settings in the same folder. Only
    /// rank 0 writes files, sends events to ``sinks`` and calls ``show``. Default: this process alone.
    ///
    /// An error on one rank ends the stage on that rank; the caller then ends the other ranks, for example with `Collective.abort`.
    public var collective: any Collective = LocalCollective()
    /// The number of ranks on this machine, which share its memory.
    public var ranksOnMachine = 1

    /// An environment without sinks, stop requests and replacements.
    public init() {}
}
