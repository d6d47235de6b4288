public import Eval
public import Runs
public import Study

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

    /// Makes the judge behind `SystemPreferenceSettings.judgeUrl`; without it that setting is an error.
    public var judgeService: ((JudgeServiceRequest) throws -> any PairwiseJudge)?

    /// Nobody.
    public init() {}
}
