public import ArgumentParser
public import Report

/// Which runs an HTML report is made of, and where it goes.
public struct HTMLReportOptions: SettingsOptions {
    public typealias Values = HTMLReportSettings

    @Option(
        help: """
            Runs: IDs, paths or folders that contain runs. IDs are those of runs in --output-dir. The option's name may be left out. At \
            least one run is needed; the runs of a folder are ordered by stage.
            """)
    public var runs = ArgumentList(Self.defaults.runs)
    @Option(help: "Output file.", completion: .file())
    public var output = Self.defaults.output
    @Option(help: "Heading of the report. Default: the names of the runs' folders.")
    public var title: String?

    @Option(help: "Folder for the pictures as separate files. Default: not written.", completion: .directory)
    public var pictures: String?
    @Option(
        help: """
            Formats of these files: svg, pdf, png. It needs --pictures; pdf and png need the program rsvg-convert, which is in the Debian \
            package librsvg2-bin.
            """)
    public var pictureFormats = ArgumentList(Self.defaults.pictureFormats)

    public static var optionOfWords: String? { "runs" }
    public static var essentials: [String] { ["runs", "output", "title", "pictures"] }

    public init() {}
}
