public import Study

/// Which runs an HTML report is made of, and where it goes.
public struct HTMLReportSettings: Settings {
    /// The runs: ids below `outputDir`, paths, or folders that hold runs, whose runs are taken in the order of their stages.
    public var runs: [String] = []
    /// The file that is written.
    public var output: String = "report.html"
    /// The heading of the report; the names of the folders unless given.
    public var title: String?
    /// The folder that every picture of the report is written into as a file of its own; none unless given.
    public var pictures: String?
    /// The kinds of those files: svg, pdf, png. The last two need the program rsvg-convert.
    public var pictureFormats: [String] = ["svg"]

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard !runs.isEmpty else {
            throw InvalidSetting("--runs names no run to show; for example: rlhf-report html runs/demo --output report.html")
        }
        guard !output.isEmpty else { throw InvalidSetting("--output is empty; it names the file that is written, such as report.html") }
        if let name = pictureFormats.first(where: { PictureFormat(rawValue: $0) == nil }) {
            throw InvalidSetting(
                "--picture-formats has \(name); it takes \(PictureFormat.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard pictures != nil || pictureFormats == Self().pictureFormats else {
            throw InvalidSetting("--picture-formats is given without --pictures, the folder that pictures are written into")
        }
    }
}
