public import Eval
public import Runs
public import Study
import Train

/// Something that is read from runs and written into files: its settings, and the work.
public protocol ReportTask: GroupedSettings {
    /// Does the work.
    /// - Throws: `InvalidSetting`; `RunFolderError`; `FileError`; what the libraries at work throw.
    func run(_ listener: ReportListener) throws
}

/// Who hears of a report.
public struct ReportListener {
    /// Receives lines for people.
    public var note: (String) -> Void = { _ in }
    /// Receives tables of results, as text.
    public var show: (String) -> Void = { _ in }

    /// Receive the events of a report that leaves a run folder.
    public var sinks: [any MetricSink] = []

    /// Writes a piece of an answer as it is, without a line break.
    public var write: (String) -> Void = { _ in }
    /// The next line of what a person types or another program writes; nil at its end.
    public var readLine: () -> String? = { nil }
    /// Whether a person types those lines.
    public var isInteractive = false

    /// Makes the judge behind `SystemPreferenceSettings.judgeUrl`; without it that setting is an error.
    public var judgeService: ((JudgeServiceRequest) throws -> any PairwiseJudge)?

    /// Nobody.
    public init() {}

    /// Tells the sinks of an event.
    func report(_ event: TrainingEvent) throws {
        for sink in sinks { try sink.handle(event) }
    }
}
