public import ArgumentParser
public import Report

/// Which metrics of which runs are written, and where to.
public struct HistoryOptions: SettingsOptions {
    public typealias Values = HistorySettings

    @Option(help: "The runs: ids below --output-dir, or paths.")
    public var runIds = ArgumentList(Self.defaults.runIds)
    @Option(help: "The metrics, by exact name.")
    public var metrics = ArgumentList(Self.defaults.metrics)
    @Option(help: "The folder that the files are written into; the folder of runs unless given.", completion: .file())
    public var metricsOutput: String?
    @Option(
        help: """
            Options, such as init_kl_coef: runs of the same values make one group. Of two, such as \
            model_name,random_subset, groups.csv is a table: rows by the first, columns by the second.
            """)
    public var groupBy = ArgumentList(Self.defaults.groupBy)

    public init() {}
}
