public import Study
/// Which metrics of which runs are written, and where to.
public struct HistorySettings: Settings {
    /// The runs: ids below `outputDir`, or paths.
    public var runIds: [String] = []
    /// The metrics, by exact name.
    public var metrics: [String] = []
    /// The folder that the files are written into; the folder of runs unless given.
    public var metricsOutput: String?
    /// Options, such as init_kl_coef: runs of the same values make one group. Of two, such as model_name,random_subset, groups.csv is a
    /// table: rows by the first, columns by the second.
    public var groupBy: [String] = []

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard !runIds.isEmpty else { throw InvalidSetting("--run-ids names no run to read") }
        guard !metrics.isEmpty else { throw InvalidSetting("--metrics names no metric to write") }
    }
}
