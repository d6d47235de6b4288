public import Study

/// Which runs an HTML report shows, and its output files.
public struct HTMLReportSettings: Settings {
    /// The runs: IDs of runs in `outputDir`, paths of runs, or folders that contain runs, which are ordered by stage. At least
    /// one.
    public var runs: [String] = []
    /// The output file.
    public var output: String = "report.html"
    /// The heading of the report. Default: the names of the runs' folders.
    public var title: String?
    /// A folder for the pictures of the report as separate files. Default: not written.
    public var pictures: String?
    /// The formats of these files: `svg`, `pdf`, `png`. PDF and PNG need the program rsvg-convert.
    public var pictureFormats: [String] = ["svg"]

    /// The defaults.
    public init() {}

    /// Checks that runs and an output are named, and the picture formats.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard !output.isEmpty else { throw InvalidSetting("--output is empty; give the name of the output file, such as report.html") }
        if let name = pictureFormats.first(where: { PictureFormat(rawValue: $0) == nil }) {
            throw InvalidSetting(
                "--picture-formats has \(name); it takes \(PictureFormat.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard pictures != nil || pictureFormats == Self().pictureFormats else {
            throw InvalidSetting("--picture-formats needs --pictures, the output folder for pictures")
        }
        guard !runs.isEmpty else {
            throw InvalidSetting("--runs is missing; for example: rlhf-report html runs/demo --output report.html", isMissing: true)
        }
    }
}
