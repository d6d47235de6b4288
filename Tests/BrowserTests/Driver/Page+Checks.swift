import Foundation
import Report
import Testing
import _TestSupport

/// Whether tests in a browser can run.
let hasBrowser: Comment = "REPORT_BROWSER names no browser; `make test-report` sets it"

/// Where pictures of pages go: the folder that `REPORT_SCREENSHOTS` names, or nowhere.
let screenshotFolder = ProcessInfo.processInfo.environment["REPORT_SCREENSHOTS"].map { URL(fileURLWithPath: $0, isDirectory: true) }

/// Opens a page in a browser of its own and hands it to a check, which finds no problem reported by the browser afterwards.
func withBrowserPage(_ page: HTMLPage, fragment: String = "", _ check: (BrowserPage, URL) throws -> Void) throws {
    let folder = try TemporaryFolder()
    let file = folder["page.html"]
    try page.text.write(to: file, atomically: true, encoding: .utf8)
    try withExtendedLifetime(folder) { try withBrowserPage(file, fragment: fragment) { try check($0, file) } }
}

/// Opens a file in a browser of its own, at the width of a desktop.
func withBrowserPage(_ file: URL, fragment: String = "", _ check: (BrowserPage) throws -> Void) throws {
    let browser = try Browser()
    defer { browser.end() }
    let page = try browser.page()
    try page.setViewport(width: 1280, height: 900)
    try page.emulate()
    try page.open(file, fragment: fragment)
    try check(page)
    let problems = try page.problems()
    #expect(problems == [], "\(problems.joined(separator: "\n"))")
}

extension BrowserPage {
    /// Takes pictures of the page as it stands: both themes, at the widths of a phone and of a desktop; and checks that nothing is wider
    /// than the window.
    func photograph(_ name: String, ofWholePage: Bool = false) throws {
        for theme in ["light", "dark"] {
            try emulate(theme: theme)
            for width in [390, 1280] {
                try setViewport(width: width, height: width == 390 ? 844 : 900, isMobile: width == 390)
                let (content, window) = try contentAndWindowWidth()
                let widest = content > window ? try widest() : []
                #expect(content <= window, "\(name) is \(content) px wide in a window of \(width) px: \(widest)")
                guard let screenshotFolder else { continue }
                let file = screenshotFolder.appendingPathComponent("\(name)-\(theme)-\(width).png")
                try screenshot(to: file, ofWholePage: ofWholePage)
            }
        }
        try emulate()
        try setViewport(width: 1280, height: 900)
    }

    private func contentAndWindowWidth() throws -> (Int, Int) {
        let widths: [Int] = try evaluate("[document.documentElement.scrollWidth, innerWidth]")
        return (widths[0], widths[1])
    }

    /// The elements that stand out of the window on the right, for messages.
    private func widest() throws -> [String] {
        try evaluate(
            """
            [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5)
                .map(e => `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`)
            """)
    }

    /// Controls without a name for screen readers: their roles.
    func unnamedControls() throws -> [String] {
        let controls: Set = [
            "button", "checkbox", "combobox", "link", "listbox", "menuitem", "radio", "searchbox", "slider", "spinbutton", "switch", "tab",
            "textbox", "DisclosureTriangle",
        ]
        let nodes = try call("Accessibility.getFullAXTree")["nodes"] as? [[String: Any]] ?? []
        #expect(!nodes.isEmpty)
        return nodes.compactMap { node in
            guard node["ignored"] as? Bool != true, let role = (node["role"] as? [String: Any])?["value"] as? String,
                controls.contains(role)
            else { return nil }
            let name = (node["name"] as? [String: Any])?["value"] as? String ?? ""
            return name.allSatisfy(\.isWhitespace) ? role : nil
        }
    }

    /// Visible texts whose contrast with the colour behind them is below a ratio (WCAG 2, relative luminance), a line each.
    func faintTexts(below ratio: Double = 4.5, in selector: String = "body") throws -> [String] {
        try evaluate(
            """
            (() => {
              const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
              const drawing = canvas.getContext('2d', {willReadFrequently: true});
              const layers = element => { const found = [];
                for (let e = element; e; e = e.parentElement) found.unshift(getComputedStyle(e).backgroundColor); return found; };
              const seen = new Map();
              const pixel = colours => { const key = colours.join(); if (!seen.has(key)) {
                drawing.fillStyle = matchMedia('(prefers-color-scheme: dark)').matches ? '#000' : '#fff'; drawing.fillRect(0, 0, 1, 1);
                for (const colour of colours) { drawing.fillStyle = colour; drawing.fillRect(0, 0, 1, 1); }
                seen.set(key, [...drawing.getImageData(0, 0, 1, 1).data].slice(0, 3)); } return seen.get(key); };
              const light = rgb => { const [r, g, b] = rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                return .2126 * r + .7152 * g + .0722 * b; };
              const faint = new Set();
              const root = document.querySelector(\(String(reflecting: selector)));
              const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
              for (let node; node = walker.nextNode();) {
                if (!node.data.trim() || !node.parentElement.checkVisibility()) continue;
                const e = node.parentElement; if (e.closest('svg')) continue;
                const behind = layers(e), style = getComputedStyle(e);
                const [a, b] = [light(pixel(behind)), light(pixel([...behind, style.color]))].sort((x, y) => x - y);
                const contrast = (b + .05) / (a + .05);
                if (contrast < \(ratio)) faint.add(`${contrast.toFixed(2)} ${e.tagName}.${e.className}: ${node.data.trim().slice(0, 30)}`);
              }
              return [...faint].slice(0, 20);
            })()
            """)
    }
}
