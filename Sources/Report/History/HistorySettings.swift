public import Study
/// Which metrics of which runs to write, and where to write them.
public struct HistorySettings: Settings {
    /// The runs: IDs of runs in `outputDir`, or paths. At least one.
    public var runIds: [String] = []
    /// The metrics, by exact name. At least one.
    public var metrics: [String] = []
    /// The output folder. Default: the folder of runs.
    public var metricsOutput: String?
    /// Options to group runs by, such as `init_kl_coef`; runs with equal values form a group. For two options, such as
    /// `model_name,random_subset`, the table `groups.csv` has the values of the first as rows and those of the second as
    /// columns.
    public var groupBy: [String] = []

    /// The defaults.
    public init() {}

    /// Checks that runs and metrics are named.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard !runIds.isEmpty else { throw InvalidSetting("--run-ids is missing; name the runs to read", isMissing: true) }
        guard !metrics.isEmpty else { throw InvalidSetting("--metrics is missing; name the metrics to write", isMissing: true) }
    }
}
