import Data
import Foundation
import Report
import Testing

/// Texts that try to become something else than text do not, in a real browser.
@Suite(.serialized, .enabled(if: Browser.program != nil, hasBrowser))
struct HostileTextsTests {
    private func page() throws -> HTMLPage {
        try HTMLReport.page(HostileTexts.content, title: "</title><script>alert(30)</script>", sections: [TextsSection.section(seed: 1)])
    }

    /// What a page may show of a text: control characters become U+FFFD.
    private func shown(_ texts: [String]) -> [String] {
        texts.map { String(String.UnicodeScalarView($0.unicodeScalars.map { $0 == "\u{0}" ? "\u{fffd}" : $0 })) }
    }

    private static let strangers =
        "main script, main img, main iframe, main svg, main style, main link, main meta, main base, main form, main math"

    @Test func everyTextIsShownAsItIs() throws {
        try withBrowserPage(try page()) { page, _ in
            let inputs: [String] = try page.evaluate("[...document.querySelectorAll('.t-input .text')].map(e => e.textContent)")
            #expect(Set(inputs) == Set(shown(HostileTexts.all)))
            let references: [String] = try page.evaluate("[...document.querySelectorAll('.t-reference .text')].map(e => e.textContent)")
            #expect(Set(references) == Set(shown(HostileTexts.all)))
            let responses: [String] = try page.evaluate("[...document.querySelectorAll('.t-sample .text')].map(e => e.textContent)")
            #expect(Set(responses) == Set(shown(HostileTexts.all)))
            let ids: [String] = try page.evaluate("[...document.querySelectorAll('.t-id')].map(e => e.textContent)")
            #expect(ids.allSatisfy { id in HostileTexts.all.contains { $0.hasPrefix(id) } })
            let systems: [String] = try page.evaluate("[...document.querySelectorAll('.t-system h4')].map(e => e.textContent)")
            #expect(Set(systems) == Set(HostileTexts.systems))
            #expect(try page.evaluate("document.querySelectorAll('\(Self.strangers)').length") == 0)
            #expect(try page.evaluate("document.title") == "</title><script>alert(30)</script>")
        }
    }

    @Test func marksAndFiltersKeepTextsAsTheyAre() throws {
        try withBrowserPage(try page()) { page, _ in
            for query in ["script", "<", "alert", "e", "\\u202e", "${", "\\\\"] {
                try page.run(
                    """
                    const s = document.querySelector('#texts-search'); s.value = '\(query)'; s.dispatchEvent(new Event('input'));
                    await new Promise(done => setTimeout(done, 200));
                    """)
                #expect(try page.evaluate("document.querySelectorAll('.t-prompt:not([hidden])').length") > 0, "\(query)")
                #expect(try page.evaluate("document.querySelectorAll('.t-prompt:not([hidden]) mark').length") > 0, "\(query)")
                for system in 0..<3 {
                    try page.run(
                        """
                        const s = [...document.querySelectorAll('#texts-controls label')].find(l => l.textContent.startsWith('Underline'))
                            .querySelector('select'); s.value = '\(system)'; s.dispatchEvent(new Event('change'));
                        """)
                    let texts: [String] = try page.evaluate("[...document.querySelectorAll('.t-prompt .text')].map(e => e.textContent)")
                    #expect(Set(texts) == Set(shown(HostileTexts.all)), "\(query)")
                }
                #expect(try page.evaluate("document.querySelectorAll('\(Self.strangers)').length") == 0)
            }
            // a permalink of such names is read back
            try page.reload()
            #expect(try page.evaluate("document.querySelector('#texts-search').value") == "\\")
        }
    }

    @Test func hostileAddressesDoNothing() throws {
        for fragment in [
            "texts:q=%3Cscript%3Ealert(1)%3C/script%3E", "texts:sort=__proto__&of=constructor", "%E0%A4%A", "text-<script>",
            "texts:page=999999",
            "texts:page=-1&split=x&hide=x", "texts:q=%00%ff",
        ] {
            try withBrowserPage(try page(), fragment: fragment) { page, _ in
                let strangers: Int = try page.evaluate("document.querySelectorAll('\(Self.strangers)').length")
                #expect(strangers == 0, "\(fragment)")
                let isAtWork: Bool = try page.evaluate("document.querySelector('#texts-status').textContent.includes('prompts')")
                #expect(isAtWork, "\(fragment)")
            }
        }
    }

    @Test func nothingIsWiderThanTheWindow() throws {
        try withBrowserPage(try page()) { page, _ in try page.photograph("hostile") }
    }

    @Test func aVeryLongLineIsCut() throws {
        let long = String(repeating: "x", count: 1_000_000)
        let row = SampleRow(id: long, input: long, response: "\u{0}" + long, reference: long, reward: 1)
        let content = ReportContent(samples: [.init(of: "SFT", split: "test", rows: [row])])
        let page = try HTMLReport.page(content, title: "long", sections: [TextsSection.section(seed: 1)])
        #expect(page.text.utf8.count < 100_000)
        try withBrowserPage(page) { page, _ in
            let notes: [String] = try page.evaluate("[...document.querySelectorAll('.t-cut')].map(e => e.textContent)")
            #expect(notes == [996_000, 998_000, 998_001].map { "\($0) more characters are not shown." })
            #expect(try page.evaluate("document.querySelector('.t-sample .text').textContent.slice(0, 3)") == "\u{fffd}xx")
            try page.setViewport(width: 390, height: 844, isMobile: true)
            #expect(try page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
        }
    }
}
