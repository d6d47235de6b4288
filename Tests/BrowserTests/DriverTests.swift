import Foundation
import Report
import Testing
import _TestSupport

/// The driver sees what it must see: without that, the other tests in a browser could not fail.
@Suite(.serialized, .enabled(if: Browser.program != nil, hasBrowser))
struct DriverTests {
    @Test func aPageIsOpenedRunAndPhotographed() throws {
        var page = HTMLPage(title: "A page", body: "<main><p id=\"line\">\("<b>text</b>")</p><input aria-label=\"Word\"></main>")
        page.scripts = ["document.addEventListener('keydown', e => { document.title += ' ' + e.key; });"]
        try withBrowserPage(page) { page, _ in
            #expect(try page.evaluate("document.querySelector('#line').textContent") == "<b>text</b>")
            try page.press("j")
            try page.press("Escape")
            try page.click("input")
            try page.type("abc")
            #expect(try page.evaluate("[document.title, document.querySelector('input').value]") == ["A page j Escape", "abc"])
            #expect(try page.unnamedControls() == [])
            #expect(try page.faintTexts() == [])
            let folder = try TemporaryFolder()
            try page.screenshot(to: folder["picture.png"])
            #expect(try Data(contentsOf: folder["picture.png"]).starts(with: [0x89, 0x50, 0x4e, 0x47]))
            try page.setViewport(width: 390, height: 844, isMobile: true)
            #expect(try page.evaluate("innerWidth") == 390)
            try page.emulate(medium: "print", theme: "dark")
            #expect(try page.evaluate("[matchMedia('print').matches, matchMedia('(prefers-color-scheme: dark)').matches]") == [true, true])
        }
    }

    @Test func whatGoesWrongIsSeen() throws {
        let browser = try Browser()
        defer { browser.end() }
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        /// What is reported of a page with some markup in its body.
        func problems(_ body: String, policy: String = "") throws -> [String] {
            let meta = policy.isEmpty ? "" : "<meta http-equiv=\"Content-Security-Policy\" content=\"\(policy)\">"
            let file = folder["page.html"]
            try "<!DOCTYPE html><html><head><link rel=icon href='data:,'>\(meta)</head><body>\(body)</body></html>"
                .write(to: file, atomically: true, encoding: .utf8)
            let page = try browser.page()
            try page.open(file)
            return try page.problems()
        }
        func hasProblem(_ body: String, policy: String = "", _ accept: (String) -> Bool) throws -> Bool {
            try problems(body, policy: policy).contains(where: accept)
        }
        #expect(try problems("<p>nothing</p>") == [])
        #expect(try hasProblem("<script>throw new Error('broken')</script>") { $0.contains("broken") })
        #expect(try hasProblem("<script>console.error('red')</script>") { $0.contains("red") })
        #expect(try hasProblem("<script>console.warn('amber')</script>") { $0.contains("amber") })
        #expect(try hasProblem("<img src='http://127.0.0.1:9/x.png'>") { $0.hasPrefix("request: http://127.0.0.1:9/") })
        #expect(try hasProblem("<script>1</script>", policy: "script-src 'none'") { $0.contains("Content Security Policy") })
    }

    @Test func scriptsCanBeForbidden() throws {
        let browser = try Browser()
        defer { browser.end() }
        let page = try browser.page()
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        try HTMLPage(title: "without", body: "<p>here</p>", scripts: ["document.title = 'with';"]).text
            .write(to: folder["page.html"], atomically: true, encoding: .utf8)
        try page.open(folder["page.html"])
        #expect(try page.evaluate("document.title") == "with")
        try page.setScripts(areAllowed: false)
        try page.reload()
        try page.setScripts(areAllowed: true)
        #expect(try page.evaluate("document.title") == "without")
    }

    @Test func narrowAndFaintAndNamelessThingsAreSeen() throws {
        let folder = try TemporaryFolder()
        let file = folder["page.html"]
        try "<!DOCTYPE html><link rel=icon href='data:,'><body style='background:#fff'><p style='color:#aaa'>faint</p><button></button>"
            .write(to: file, atomically: true, encoding: .utf8)
        defer { withExtendedLifetime(folder) {} }
        try withBrowserPage(file) { page in
            let (faint, unnamed) = (try page.faintTexts(), try page.unnamedControls())
            #expect(faint.count == 1)
            #expect(unnamed == ["button"])
        }
    }

    @Test func nothingIsLeftBehind() throws {
        let browser = try Browser()
        _ = try browser.page()
        let profile = browser.profile
        #expect(try processes(with: profile.path) > 1)
        browser.end()
        #expect(try processes(with: profile.path) == 0)
        #expect(!FileManager.default.fileExists(atPath: profile.path))
    }

    /// How many processes have a text on their command line.
    private func processes(with text: String) throws -> Int {
        let folders = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }
        return folders.count { name in
            // the system says that these files have no length
            guard let file = try? FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(name)/cmdline")) else { return false }
            let line = (try? file.read(upToCount: 1 << 16)) ?? Data()
            return String(decoding: line, as: UTF8.self).contains(text)
        }
    }
}
