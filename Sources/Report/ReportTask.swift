public import Eval
public import Runs
public import Study
public import Train

/// A task that reads runs and writes files, with its settings.
public protocol ReportTask: GroupedSettings {
    /// Whether several processes can run the task together (``ReportListener/collective``). Default: false.
    static var usesRanks: Bool { get }
    /// Runs the task.
    /// - Throws: `InvalidSetting`, `RunFolderError`, `FileError`, and the errors of the libraries that it uses.
    func run(_ listener: ReportListener) throws
}

extension ReportTask {
    /// No.
    public static var usesRanks: Bool { false }
}

/// The callbacks of a report task: its output, and the services and input that it can use.
public struct ReportListener {
    /// Receives notes for the user, one line each.
    public var note: (String) -> Void = { _ in }
    /// Receives result tables as text.
    public var show: (String) -> Void = { _ in }

    /// Receive the events of tasks that write a run folder.
    public var sinks: [any MetricSink] = []

    /// Writes a part of a response without adding a line break.
    public var write: (String) -> Void = { _ in }
    /// Throws if what was shown or written could not be put out, such as into a closed pipe or on a full disk.
    public var checkOutput: () throws -> Void = {}
    /// Reads the next line of standard input; nil at its end.
    public var readLine: () -> String? = { nil }
    /// Whether standard input is a terminal.
    public var isInteractive = false

    /// Creates the judge for `SystemPreferenceSettings.judgeUrl`. If it is nil, that setting is an error.
    public var judgeService: ((JudgeServiceRequest) throws -> any PairwiseJudge)?

    /// The processes that run the task together, each with the same settings. Only rank 0 writes files and calls ``note``. Default: this
    /// process alone.
    public var collective: any Collective = LocalCollective()

    /// Creates a listener whose callbacks do nothing.
    public init() {}

    /// Sends an event to the sinks.
    func report(_ event: TrainingEvent) throws {
        for sink in sinks { try sink.handle(event) }
    }
}
