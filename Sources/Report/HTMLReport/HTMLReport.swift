internal import Foundation
public import Study
import Formats
import Runs

/// Everything that some runs have left, as one self-contained page.
public struct HTMLReport: ReportTask {
    /// What is shown, and where it goes.
    public var report = HTMLReportSettings()
    /// Where runs are, and how they are measured.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    public static var groups: [SettingsGroup<HTMLReport>] { [.init(\.report), .init(\.measuring)] }

    /// What a report consists of, in the order of the page.
    package static var sections: [ReportSection] { [] }

    public func run(_ listener: ReportListener) throws {
        try validate()
        let content = try ReportContent(reading: report.runs, in: URL(fileURLWithPath: measuring.outputDir, isDirectory: true))
        for line in content.missing { listener.note(line) }
        guard !content.runs.isEmpty else {
            throw InvalidSetting("--runs \(report.runs.joined(separator: ",")) names no folder with runs; a run folder has a config.json")
        }
        let page = try Self.page(content, title: report.title ?? content.title, sections: Self.sections)
        let output = URL(fileURLWithPath: report.output)
        try AtomicFile.write(page.text, to: output)
        listener.note("\(output.path): \(content.runs.count) runs")
    }

    /// The page that some sections make of what was read.
    /// - Throws: what the sections throw.
    package static func page(_ content: ReportContent, title: String, sections: [ReportSection]) throws -> HTMLPage {
        var bodies: [(section: ReportSection, body: ReportSection.Body)] = []
        for section in sections { if let body = try section.make(content) { bodies.append((section, body)) } }
        let notes = content.missing + bodies.flatMap(\.body.notes)
        let links = bodies.map { section, _ in "<li><a href=\"#\(section.id)\">\(section.title)</a></li>" as HTML }
        let parts = bodies.map { section, body in
            "<section aria-labelledby=\"\(section.id)\">\n<h2 id=\"\(section.id)\">\(section.title)</h2>\n\(body.html)\n</section>\n"
                as HTML
        }
        let missing: HTML =
            notes.isEmpty
            ? ""
            : """
            <section class="notice" aria-labelledby="missing">
            <h2 id="missing">What is missing</h2>
            <ul>\(notes.map { "<li class=\"text\">\($0)</li>\n" as HTML })</ul>
            </section>
            """
        let body: HTML = """
            <a class="skip" href="#content">Skip to the content</a>
            <header>
            <h1>\(title)</h1>
            <nav class="screen" aria-label="Sections"><ul class="contents">\(links)</ul></nav>
            </header>
            <main id="content">
            \(parts)\(missing)
            </main>
            """
        var page = HTMLPage(title: title, body: body)
        page.styles = bodies.flatMap(\.body.styles)
        page.scripts = bodies.flatMap(\.body.scripts)
        page.data = bodies.flatMap(\.body.data)
        return page
    }
}
