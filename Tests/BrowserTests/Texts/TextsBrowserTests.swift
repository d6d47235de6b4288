import Data
import Foundation
import Report
import Testing

/// Searching, filtering and sorting texts, in a real browser.
@Suite(.serialized, .enabled(if: Browser.program != nil, hasBrowser))
struct TextsBrowserTests {
    private func page() throws -> HTMLPage {
        try HTMLReport.page(.plain, title: "Texts", sections: [TextsSection.section(seed: 1)])
    }

    @Test func wordsAreSearchedWithoutCaseAndMarks() throws {
        try withBrowserPage(try page()) { page, _ in
            #expect(try page.status() == "60 of 60 prompts; 1 to 20 are shown")
            try page.search("POST ABOUT NUMBER 7")
            #expect(try page.status() == "2 of 60 prompts")
            #expect(try page.visible() == ["text-test-8", "text-ood_test-8"])
            #expect(try page.marked(".t-input mark") == ["post about number 7", "post about number 7"])
            try page.search("cafe 1")
            #expect(try page.status() == "22 of 60 prompts; 1 to 20 are shown")
            let marks = try page.marked("mark")
            #expect(Set(marks) == ["Café 1"])
            try page.search("cafe\u{301} 39")
            #expect(try page.visible() == ["text-test-40"])
            try page.search("nowhere")
            #expect(try page.status() == "0 of 60 prompts")
            try page.search("")
            #expect(try page.status() == "60 of 60 prompts; 1 to 20 are shown")
            #expect(try page.marked("mark") == [])
        }
    }

    @Test func splitsAndSystemsAreFiltered() throws {
        try withBrowserPage(try page()) { page, _ in
            try page.choose("Split", "ood_test")
            #expect(try page.status() == "20 of 60 prompts")
            #expect(try page.visible().allSatisfy { $0.hasPrefix("text-ood_test-") })
            try page.search("Nothing to say")
            #expect(try page.status() == "20 of 60 prompts")
            try page.run("[...document.querySelectorAll('#texts-controls fieldset input')][2].click()")
            #expect(try page.status() == "0 of 60 prompts")
            try page.search("I think")
            #expect(try page.status() == "20 of 60 prompts")
            #expect(try page.marked(".t-prompt:not([hidden]) .t-system:not([hidden]) h4").count == 40)
        }
    }

    @Test func everyNumberSorts() throws {
        try withBrowserPage(try page()) { page, _ in
            try page.choose("Split", "test")
            try page.choose("Sort by", "reward")
            /// The order that a value of the prompt gives.
            func order(_ value: (Int) -> Double) -> [String] {
                Array((0..<40).sorted { (-value($0), $0) < (-value($1), $1) }.prefix(20)).map { "text-test-\($0 + 1)" }
            }
            func reward(_ system: Int) -> (Int) -> Double { { Double(($0 * 7 + system * 11) % 30) } }
            #expect(try page.visible() == order(reward(0)))
            try page.choose("of", "PPO")
            #expect(try page.visible() == order(reward(1)))
            try page.choose("minus that of", "SFT")
            #expect(try page.visible() == order { reward(1)($0) - reward(0)($0) })
            try page.choose("Order", "smallest first")
            #expect(try page.visible() == order { reward(0)($0) - reward(1)($0) })
            try page.choose("minus that of", "nothing")
            try page.choose("Sort by", "tokens")
            #expect(try page.visible() == order { -Double(5 + ($0 * 3) % 13) })
            try page.choose("Sort by", "KL")
            #expect(try page.visible() == (1...20).map { "text-test-\($0)" })
        }
    }

    @Test func differencesAreUnderlined() throws {
        try withBrowserPage(try page()) { page, _ in
            try page.choose("Underline differences from", "SFT")
            #expect(try page.marked("#text-test-1 [data-s='1'] mark.t-new") == ["the", "as"])
            #expect(try page.marked("#text-test-1 [data-s='0'] mark.t-new") == [])
            #expect(try page.marked("#text-test-1 [data-s='2'] mark.t-new") == ["Nothing to say about Café"])
            // where one system is compared with, what it alone has is underlined, too
            try page.run("[...document.querySelectorAll('#texts-controls fieldset input')][1].click()")
            #expect(try page.marked("#text-test-1 [data-s='0'] mark.t-new") == ["It is number", ", I think"])
            try page.search("say")
            #expect(try page.marked("#text-test-1 [data-s='2'] mark.t-hit.t-new") == ["say"])
            #expect(
                try page.evaluate("document.querySelector('#text-test-1 [data-s=\"2\"] .text').textContent")
                    == "Nothing to say about Café 0.")
            try page.choose("Underline differences from", "none")
            #expect(try page.marked("mark.t-new") == [])
        }
    }

    @Test func addressesKeepWhatIsChosen() throws {
        try withBrowserPage(try page()) { page, file in
            try page.search("number")
            try page.choose("Split", "test")
            try page.choose("Sort by", "KL")
            try page.choose("of", "best-of-16")
            try page.choose("minus that of", "PPO")
            try page.choose("Underline differences from", "PPO")
            try page.run("[...document.querySelectorAll('#texts-controls fieldset input')][0].click()")
            try page.run("[...document.querySelectorAll('#texts-pages button')][1].click()")
            let (shown, status) = (try page.visible(), try page.status())
            #expect(status == "40 of 60 prompts; 21 to 40 are shown")
            let address: String = try page.evaluate("location.href")
            let other = try page.browser.page()
            try other.open(address)
            #expect(try other.visible() == shown)
            #expect(try other.status() == status)
            let values = "[...document.querySelectorAll('#texts-controls input, #texts-controls select')].map(e => e.checked + e.value)"
            #expect(try other.evaluate(values, as: [String].self) == page.evaluate(values, as: [String].self))
            // a prompt that the search hides is shown by its own address
            try other.search("nowhere")
            try other.run("location.hash = 'text-ood_test-20'")
            try other.wait(until: "document.activeElement.id === 'text-ood_test-20'")
            #expect(try other.visible().contains("text-ood_test-20"))
            #expect(try other.problems() == [])
            _ = file
        }
    }

    @Test func keysMoveAndSearch() throws {
        try withBrowserPage(try page()) { page, _ in
            func focused() throws -> String { try page.evaluate("document.activeElement.id") }
            try page.press("j")
            #expect(try focused() == "text-test-1")
            try page.press("j")
            #expect(try focused() == "text-test-2")
            try page.press("k")
            #expect(try focused() == "text-test-1")
            try page.press("/")
            #expect(try focused() == "texts-search")
            try page.type("number 3j")
            try page.wait(until: "document.querySelector('#texts-status').textContent.startsWith('0 ')")
            try page.press("Escape")
            #expect(try page.status() == "60 of 60 prompts; 1 to 20 are shown")
            #expect(try page.evaluate("document.querySelector('#texts-search').value") == "")
            for _ in 0..<21 { try page.press("j") }
            #expect(try focused() == "text-test-21")
            #expect(try page.status() == "60 of 60 prompts; 21 to 40 are shown")
            try page.press("k")
            #expect(try focused() == "text-test-20")
            try page.run("document.querySelector('.t-help input').click(); document.activeElement.blur()")
            try page.press("/")
            #expect(try focused() != "texts-search")
        }
    }

    @Test func withoutScriptsEverythingIsThere() throws {
        try withBrowserPage(try page()) { page, _ in
            try page.setScripts(areAllowed: false)
            try page.reload()
            try page.setScripts(areAllowed: true)
            #expect(try page.visible().count == 60)
            let text: String = try page.evaluate("document.querySelector('#text-test-1').textContent")
            for part in [
                "A post about number 0.", "The number is 0.", "It is the number 0, as I think.", "reward 11", "4 samples, 3 shown",
            ] {
                #expect(text.contains(part), "\(part)")
            }
            #expect(try page.evaluate("document.querySelectorAll('#texts-controls *').length") == 0)
            try page.setViewport(width: 390, height: 844, isMobile: true)
            #expect(try page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
        }
    }

    @Test func itCanBeReadInBothThemesOnPaperAndByScreenReaders() throws {
        try withBrowserPage(try page()) { page, _ in
            try page.search("number 1")
            try page.choose("Underline differences from", "SFT")
            #expect(try page.unnamedControls() == [])
            for theme in ["light", "dark"] {
                try page.emulate(theme: theme)
                #expect(try page.faintTexts() == [], "\(theme)")
            }
            try page.emulate()
            try page.photograph("texts")
            try page.emulate(medium: "print", theme: "dark")
            try page.run("dispatchEvent(new Event('beforeprint'))")
            #expect(try page.faintTexts() == [])
            #expect(try page.evaluate("document.querySelectorAll('.t-prompt:not([hidden])').length") == 22)
            #expect(try page.evaluate("[...document.querySelectorAll('.t-prompt:not([hidden]) details')].every(e => e.open)"))
            try page.run("dispatchEvent(new Event('afterprint'))")
            #expect(try page.evaluate("document.querySelectorAll('.t-prompt:not([hidden])').length") == 20)
        }
    }
}

extension BrowserPage {
    /// The count of hits that is told.
    fileprivate func status() throws -> String { try evaluate("document.querySelector('#texts-status').textContent") }

    /// The ids of prompts that are shown, from above.
    fileprivate func visible() throws -> [String] {
        try evaluate("[...document.querySelectorAll('.t-prompt')].filter(e => e.checkVisibility()).map(e => e.id)")
    }

    /// The texts of elements of shown prompts.
    fileprivate func marked(_ selector: String) throws -> [String] {
        try evaluate(
            "[...document.querySelectorAll(\(String(reflecting: selector)))].filter(e => !e.closest('[hidden]')).map(e => e.textContent)")
    }

    /// Searches for a text.
    fileprivate func search(_ text: String) throws {
        try run("const s = document.querySelector('#texts-search'); s.focus(); s.select();")
        if text.isEmpty { try press("Backspace") } else { try type(text) }
        let quoted = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        try wait(until: "document.querySelector('#texts-search').value === \(quoted)")
        usleep(200_000)
    }

    /// Chooses what a list offers, by its shown name.
    fileprivate func choose(_ title: String, _ choice: String) throws {
        try run(
            """
            const label = [...document.querySelectorAll('#texts-controls label')]
                .find(label => label.firstElementChild.textContent === \(String(reflecting: title)));
            const list = label.querySelector('select');
            list.value = [...list.options].find(option => option.textContent === \(String(reflecting: choice))).value;
            list.dispatchEvent(new Event('change'));
            """)
    }
}
