import Eval
import Foundation
import Report
import Tensor
import Testing
import _TestSupport

/// The page on which people compare answers, in a real browser.
@Suite(.serialized, .enabled(if: Browser.program != nil, hasBrowser))
struct AnnotationTests {
    private func pairs(_ count: Int) -> [PairwiseTask] {
        (0..<count).map {
            PairwiseTask(
                id: "\($0)", input: "SUBREDDIT: r/test\nPOST: What happened with the number \($0)?\n\nTL;DR:",
                left: "The number \($0) was found after a long search, and all were glad.", right: "It was \($0).",
                leftIsFirstSystem: $0 % 2 == 0)
        }
    }

    private func begin(_ page: BrowserPage, as name: String) throws {
        try page.click("#name")
        try page.type(name)
        try page.press("Enter")
        try page.wait(until: "!document.querySelector('#work').hidden")
    }

    private func answers<Answer: Decodable>(_ page: BrowserPage, _: Answer.Type) throws -> [Answer] {
        let text: String = try page.evaluate("document.querySelector('#lines').value")
        return try text.split(separator: "\n").map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
    }

    private func focus(_ page: BrowserPage) throws -> String { try page.evaluate("document.activeElement.id") }

    @Test func pairsAreAnsweredByKeyboardAndGoOnInAnotherTab() throws {
        let tasks = pairs(4)
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let file = folder["annotate.html"]
        try AnnotationPage(tasks, title: "Which is better?").page.text.write(to: file, atomically: true, encoding: .utf8)
        let browser = try Browser()
        defer { browser.end() }
        let first = try browser.page()
        try first.setViewport(width: 1280, height: 900)
        try first.open(file)
        try begin(first, as: "Ann Ö.")
        #expect(try focus(first) == "heading")
        #expect(try first.evaluate("document.querySelector('#instructions').open") == false)
        // no choice, no step
        try first.press("Enter")
        #expect(try first.evaluate("document.querySelector('#heading').textContent") == "Task 1 of 4")
        #expect(try first.evaluate("document.querySelector('#missing').textContent.length > 0") == true)
        try first.press("1")
        try first.press("n")
        #expect(try focus(first) == "heading")
        try first.press("9")
        try first.press("p")
        #expect(try first.evaluate("document.querySelector('input:checked').value") == "-4")
        #expect(try first.evaluate("document.querySelector('#progress').textContent") == "2 of 4 tasks answered")
        let warns = "(() => { const e = new Event('beforeunload', {cancelable: true}); dispatchEvent(e); return e.defaultPrevented; })()"
        #expect(try first.evaluate(warns) == true)
        #expect(try first.problems() == [])
        try first.close()

        let page = try browser.page()
        try page.setViewport(width: 1280, height: 900)
        try page.open(file)
        #expect(try page.evaluate("document.querySelector('#name').value") == "Ann Ö.")
        #expect(try page.evaluate("document.querySelector('#kept').textContent.includes('2 of 4')") == true)
        try page.click("#start button")
        #expect(try page.evaluate("document.querySelector('#heading').textContent") == "Task 3 of 4")
        try page.press("5")
        try page.press("Enter")
        try page.click("#choice label:nth-child(3)")
        try page.press("Enter")
        #expect(try focus(page) == "over-heading")
        let given = try answers(page, PairwiseAnswer.self)
        #expect(given.map(\.slider) == [-4, 4, 0, -2])
        #expect(given.allSatisfy { $0.annotator == "Ann Ö." && ($0.seconds ?? -1) >= 0 })
        var random = Philox(seed: 1)
        let rate = try PairwiseAnalysis().winRate(tasks: tasks, answers: given, resamples: 20, using: &random)
        // the first system is on the left, the right, the left and the right: won, won, a tie, lost
        let expected = 0.625
        #expect(rate?.rate.mean == expected)
        // what is downloaded is what is shown
        try page.run(
            """
            window.made = []; const make = URL.createObjectURL; URL.createObjectURL = b => { made.push(b.text()); return make.call(URL, b); };
            document.addEventListener('click', e => { if (e.target.download) { made.push(e.target.download); e.preventDefault(); } });
            """)
        try page.click("#download")
        #expect(try page.evaluate("Promise.resolve(made[0]).then(t => t === document.querySelector('#lines').value)") == true)
        #expect(try page.evaluate("made[1]") == "answers-Ann-Ö-.jsonl")
        #expect(try page.evaluate(warns) == false)
        #expect(try page.problems() == [])
    }

    @Test func rankingsAreAnsweredByKeyboard() throws {
        let tasks = (0..<2).map {
            RankingTask(
                id: "\($0)", input: "prompt \($0)", texts: ["one", "two", "three"], systems: ["a", RankingTask.reference, "b"])
        }
        try withBrowserPage(try AnnotationPage(tasks).page) { page, _ in
            try begin(page, as: "b")
            for key in ["2", "1", "Enter"] { try page.press(key) }
            #expect(try page.evaluate("document.querySelector('#heading').textContent") == "Task 1 of 2")
            for key in ["3", "a", "1", "n", "1", "2", "2"] { try page.press(key) }
            try page.photograph("annotate-ranking", ofWholePage: true)
            try page.press("n")
            let given = try answers(page, RankingAnswer.self)
            #expect(given.map(\.ranks) == [[1, 1, 3], [1, 2, 2]])
            var random = Philox(seed: 1)
            let analysis = try RankingAnalysis(tasks: tasks, answers: given, resamples: 20, using: &random)
            #expect(analysis?.systems.map(\.againstReference.rate.mean) == [0.75, 0.25])
        }
    }

    @Test func thePageIsReadableInBothThemesAndOnAPhone() throws {
        try withBrowserPage(try AnnotationPage(pairs(5)).page) { page, _ in
            try page.photograph("annotate-start", ofWholePage: true)
            try begin(page, as: "c")
            for _ in 0..<3 { for key in ["7", "n"] { try page.press(key) } }
            try page.press("2")
            #expect(try page.unnamedControls() == [])
            for theme in ["light", "dark"] {
                try page.emulate(theme: theme)
                #expect(try page.faintTexts() == [], "\(theme)")
            }
            try page.photograph("annotate-pair", ofWholePage: true)
        }
    }

    @Test func hostileTextsAreShownAsText() throws {
        let tasks = HostileTexts.all.enumerated().map { number, text in
            PairwiseTask(id: text, input: text, left: text, right: "\(number)", leftIsFirstSystem: true)
        }
        let instructions = HostileTexts.all.joined(separator: "\n\n- ")
        try withBrowserPage(try AnnotationPage(tasks, title: HostileTexts.systems[2], instructions: instructions).page) { page, _ in
            try begin(page, as: "<b>\"x")
            var shown: [String] = []
            for _ in tasks {
                shown.append(try page.evaluate("document.querySelector('#prompt').textContent"))
                let (content, window): (Int, Int) = (
                    try page.evaluate("document.documentElement.scrollWidth"), try page.evaluate("innerWidth")
                )
                #expect(content <= window)
                try page.press("1")
                try page.press("n")
            }
            #expect(shown.map { Array($0.utf8) } == tasks.map { Array($0.input.utf8) })
            #expect(try answers(page, PairwiseAnswer.self).map { Array($0.task.utf8) } == tasks.map { Array($0.id.utf8) })
            #expect(try page.evaluate("document.querySelectorAll('b, img, iframe, main script').length") == 0)
        }
    }
}
