public import ArgumentParser
public import Report

/// Which runs an HTML report is made of, and where it goes.
public struct HTMLReportOptions: SettingsOptions {
    public typealias Values = HTMLReportSettings

    @Option(help: "The runs: ids below --output-dir, paths, or folders that hold runs. They may also stand without the option's name.")
    public var runs = ArgumentList(Self.defaults.runs)
    @Option(help: "The file that is written.", completion: .file())
    public var output = Self.defaults.output
    @Option(help: "The heading of the report; the names of the folders unless given.")
    public var title: String?

    @Option(help: "A folder that every picture of the report is written into as a file of its own.", completion: .directory)
    public var pictures: String?
    @Option(help: "The kinds of those files: svg, pdf, png. The last two need rsvg-convert, which Debian has in librsvg2-bin.")
    public var pictureFormats = ArgumentList(Self.defaults.pictureFormats)

    public static var optionOfWords: String? { "runs" }
    public static var essentials: [String] { ["runs", "output", "title", "pictures"] }

    public init() {}
}
