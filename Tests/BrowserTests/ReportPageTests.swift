import Foundation
import Report
import Testing
import _TestSupport

/// A whole report in a real browser: the file that `REPORT_PAGE` names, and one that is made of the runs in the folder `REPORT_RUNS`.
@Suite(.serialized, .enabled(if: Browser.program != nil, hasBrowser))
struct ReportPageTests {
    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    @Test(.enabled(if: variable("REPORT_PAGE") != nil, "REPORT_PAGE names no report"))
    func theReportGivenIsSound() throws {
        try check(URL(fileURLWithPath: Self.variable("REPORT_PAGE") ?? ""), name: "report")
    }

    @Test(.enabled(if: variable("REPORT_RUNS") != nil, "REPORT_RUNS names no folder of runs"))
    func aReportOfRunsIsSound() throws {
        let content = try ReportContent(
            reading: [Self.variable("REPORT_RUNS") ?? ""], in: URL(fileURLWithPath: "/", isDirectory: true))
        let page = try HTMLReport.page(content, title: "Runs", sections: HTMLReport.sections)
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        try page.text.write(to: folder["report.html"], atomically: true, encoding: .utf8)
        try check(folder["report.html"], name: "runs")
    }

    /// Checks what every report must be.
    private func check(_ file: URL, name: String) throws {
        let size = try Data(contentsOf: file).count
        #expect(size < 3_000_000)
        try withBrowserPage(file) { page in
            let strangers: Int = try page.evaluate("document.querySelectorAll('main script, main img, main iframe').length")
            #expect(strangers == 0)
            let ids: [String] = try page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
            #expect(Set(ids).count == ids.count, "ids are repeated")
            let unnamed = try page.unnamedControls()
            #expect(unnamed == [])
            for theme in ["light", "dark"] {
                try page.emulate(theme: theme)
                let faint = try page.faintTexts()
                #expect(faint == [], "\(theme)")
            }
            try page.photograph(name)
            let hasTexts: Bool = try page.evaluate("!!document.querySelector('#texts-list .t-prompt')")
            guard hasTexts else { return }
            try page.run("document.querySelector('#texts').scrollIntoView()")
            try page.photograph("\(name)-texts")
        }
    }
}
