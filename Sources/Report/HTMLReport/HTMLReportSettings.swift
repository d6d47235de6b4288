public import Study

/// Which runs an HTML report is made of, and where it goes.
public struct HTMLReportSettings: Settings {
    /// The runs: ids below `outputDir`, paths, or folders that hold runs, whose runs are taken in the order of their stages.
    public var runs: [String] = []
    /// The file that is written.
    public var output: String = "report.html"
    /// The heading of the report; the names of the folders unless given.
    public var title: String?

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard !runs.isEmpty else { throw InvalidSetting("--runs names no run to show") }
    }
}
