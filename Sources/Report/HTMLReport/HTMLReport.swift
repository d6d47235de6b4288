internal import Foundation
public import Study
import Formats
import Runs

/// Makes one self-contained HTML page from all results of some runs.
public struct HTMLReport: ReportTask {
    /// What to show, and the output files.
    public var report = HTMLReportSettings()
    /// Where runs are stored, and how they are measured.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    /// The groups of settings.
    public static var groups: [SettingsGroup<HTMLReport>] { [.init(\.report), .init(\.measuring)] }

    /// The sections of a report, in the order of the page.
    package static var sections: [ReportSection] {
        [
            FrontSection.section, SystemsSection.section, DiversitySection.section, BestOfNSection.section, CurvesSection.section,
            RewardModelSection.section, TextsSection.section(seed: 42), RunsSection.section,
        ]
    }

    /// Writes the page and, if their folder is given, the pictures as separate files.
    /// - Throws: `InvalidSetting` if no run is found or an output would overwrite other files; `FileError`.
    public func run(_ listener: ReportListener) throws {
        try validate()
        let content = try measuring.computing {
            try ReportContent(
                reading: report.runs, in: URL(fileURLWithPath: measuring.outputDir, isDirectory: true), seed: measuring.seed)
        }
        guard !content.runs.isEmpty else {
            content.missing.forEach(listener.note)
            throw InvalidSetting("--runs \(report.runs.joined(separator: ",")) contains no runs; a run folder has a config.json")
        }
        let output = URL(fileURLWithPath: report.output)
        // checks all outputs before anything is written
        try GeneratedFiles.checkOutside(output, option: "--output", runs: content.runs.map(\.folder))
        try GeneratedFiles.checkPage(output)
        let pictureFolder = try report.pictures.map { path in
            let folder = URL(fileURLWithPath: path, isDirectory: true)
            try GeneratedFiles.checkOutside(folder, option: "--pictures", runs: content.runs.map(\.folder))
            return try PictureFolder(folder, formats: report.pictureFormats.compactMap(PictureFormat.init))
        }
        let (page, pictures, notes) = measuring.computing {
            Self.parts(content, title: report.title ?? content.title, sections: Self.sections)
        }
        for line in notes { listener.note(line) }
        try pictureFolder?.check(pictures)
        try Folder.make(output.deletingLastPathComponent())
        try AtomicFile.write(page.text, to: output)
        listener.note(
            "\(output.path): \(Counted(content.runs.count, "run")), \(Counted(notes.count, "note")) on missing data, "
                + "\(ByteCount(bytes: page.text.utf8.count))")
        if let pictureFolder {
            try pictureFolder.write(pictures)
            listener.note("\(pictureFolder.folder.path): \(Counted(pictures.count, "picture"))")
        }
    }

    /// The page with the given sections.
    package static func page(_ content: ReportContent, title: String, sections: [ReportSection]) throws -> HTMLPage {
        parts(content, title: title, sections: sections).page
    }

    /// The page, its pictures, and notes on what is missing. A section that fails is left out with a note.
    private static func parts(
        _ content: ReportContent, title: String, sections: [ReportSection]
    ) -> (page: HTMLPage, pictures: [Picture], notes: [String]) {
        var bodies: [(section: ReportSection, body: ReportSection.Body)] = []
        var failures: [String] = []
        for section in sections {
            do {
                if let body = try section.make(content) {
                    bodies.append((section, body))
                } else {
                    failures.append("\(section.title): the runs have no data for this section.")
                }
            } catch {
                failures.append("\(section.title): \(error)")
            }
        }
        let notes = content.missing + failures + bodies.flatMap(\.body.notes)
        bodies.removeAll { $0.body.html == "" }
        let links = bodies.map { section, _ in "<li><a href=\"#\(section.id)\">\(section.title)</a></li>\n" as HTML }
        let parts = bodies.map { section, body in
            "<section aria-labelledby=\"\(section.id)\">\n<h2 id=\"\(section.id)\">\(section.title)</h2>\n\(body.html)\n</section>\n"
                as HTML
        }
        let shown = notes.prefix(Self.noteLimit).map { "<li class=\"text\">\($0)</li>\n" as HTML }
        let cut: HTML = notes.count > shown.count ? "<li>and \(notes.count - shown.count) more</li>\n" : ""
        let missing: HTML =
            notes.isEmpty
            ? ""
            : """
            <section aria-labelledby="missing">
            <h2 id="missing">What is missing</h2>
            <ul>
            \(shown)\(cut)</ul>
            </section>
            """
        let missingLink: HTML = notes.isEmpty ? "" : "<li><a href=\"#missing\">What is missing</a></li>\n"
        let all = content.runs.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let names = all.prefix(12).map { "<bdi>\($0)</bdi>" as HTML }
        let list = names.enumerated().map { index, name -> HTML in index == 0 ? name : ", \(name)" }
        let more: HTML = all.count > names.count ? " and \(Counted(all.count - names.count, "more name").description)" : ""
        let body: HTML = """
            <a class="skip" href="#content">Skip to the content</a>
            <header>
            <h1><bdi>\(title)</bdi></h1>
            <p class="quiet">A report of \(Counted(content.runs.count, "run").description) by swift-rlhf \
            \(PackageVersion.current): \(list)\(more).</p>
            <nav class="screen" aria-label="Sections"><ul class="contents">
            \(links)\(missingLink)</ul></nav>
            </header>
            <main id="content">
            \(parts)\(missing)
            </main>
            """
        var page = HTMLPage(title: title, body: body)
        page.styles = bodies.flatMap(\.body.styles)
        page.scripts = [PageResource.sorting] + bodies.flatMap(\.body.scripts)
        page.data = bodies.flatMap(\.body.data)
        return (page, bodies.flatMap(\.body.pictures), notes)
    }

    /// The maximum number of notes shown on the page.
    private static let noteLimit = 200
}
