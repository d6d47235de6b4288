public import ArgumentParser
public import Report

/// Which metrics of which runs are written, and where to.
public struct HistoryOptions: SettingsOptions {
    public typealias Values = HistorySettings

    @Option(help: "Runs: IDs in --output-dir, or paths. At least one.")
    public var runIds = ArgumentList(Self.defaults.runIds)
    @Option(help: "Metrics, by exact name. At least one.")
    public var metrics = ArgumentList(Self.defaults.metrics)
    @Option(help: "Output folder. Default: the folder of runs.", completion: .file())
    public var metricsOutput: String?
    @Option(
        help: """
            Options to group runs by, such as init_kl_coef. Runs with equal values form a group. For two options, such as \
            model_name,random_subset, the table groups.csv has the values of the first as rows and those of the second as columns.
            """)
    public var groupBy = ArgumentList(Self.defaults.groupBy)

    public init() {}
}
