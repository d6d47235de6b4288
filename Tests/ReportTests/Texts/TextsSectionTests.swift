import Data
import Foundation
import Report
import Runs
import Testing
import _TestSupport

/// What the browser of texts puts into the page, and what it leaves out.
struct TextsSectionTests {
    private func rows(_ count: Int, text: String = "response", samples: Int = 1) -> [SampleRow] {
        (0..<count).flatMap { prompt in
            (0..<samples).map { sample in
                SampleRow(
                    id: "id-\(prompt)", input: "prompt \(prompt)", response: "\(text) \(prompt).\(sample)", reward: Double(sample),
                    numbers: ["sample": Double(sample)])
            }
        }
    }

    private func body(
        _ samples: [ReportContent.Sample], runs: [ReportedRun] = [], seed: UInt64 = 1,
        _ change: (inout TextsSection.Limits) -> Void = { _ in }
    ) throws -> ReportSection.Body {
        var limits = TextsSection.Limits()
        change(&limits)
        return try #require(
            try TextsSection.section(seed: seed, limits: limits).make(ReportContent(samples: samples, runs: runs)))
    }

    @Test func systemsAreJoinedByPrompt() throws {
        let other = Array(rows(4, text: "other").reversed())
        let html = try body([
            .init(of: "SFT", split: "test", rows: rows(3)), .init(of: "PPO", split: "test", rows: other),
            .init(of: "PPO", split: "ood_test", rows: rows(1)),
        ]).html.source
        let articles = html.components(separatedBy: "<article").dropFirst()
        #expect(articles.count == 5)
        let third = try #require(articles.first { $0.contains("id=\"text-test-3\"") })
        #expect(third.contains("response 2.0") && third.contains("other 2.0"))
        #expect(articles.contains { $0.contains("id=\"text-test-4\"") && $0.contains("other 3.0") && !$0.contains("response 3.0") })
        #expect(articles.contains { $0.contains("id=\"text-ood_test-1\"") })
    }

    @Test func thereIsNothingWithoutSamples() throws {
        #expect(try TextsSection.section(seed: 1).make(ReportContent(samples: [])) == nil)
        #expect(try TextsSection.section(seed: 1).make(ReportContent(samples: [.init(of: "SFT", split: "test", rows: [])])) == nil)
    }

    @Test func manyPromptsAreDrawnWithinTheBudget() throws {
        let samples: [ReportContent.Sample] = [
            .init(of: "SFT", split: "test", rows: rows(2000)), .init(of: "SFT", split: "few", rows: rows(3)),
        ]
        let result = try body(samples) { $0.bytes = 100_000 }
        #expect(result.html.source.utf8.count < 102_000)
        #expect(result.html.source.utf8.count > 60_000)
        let count = result.html.source.components(separatedBy: "data-split=\"test\"").count - 1
        #expect(result.notes == ["Texts: \(count) of 2000 prompts of test are shown, drawn at random, to limit the size of the page."])
        #expect(result.html.source.components(separatedBy: "data-split=\"few\"").count - 1 == 3)
        let (same, other) = (try body(samples) { $0.bytes = 100_000 }, try body(samples, seed: 2) { $0.bytes = 100_000 })
        #expect(same.html == result.html)
        #expect(other.html != result.html)
    }

    @Test func samplesAreCountedAndCut() throws {
        let html = try body([.init(of: "SFT", split: "test", rows: rows(1, samples: 5))]) { $0.samplesPerSystem = 2 }.html.source
        #expect(html.contains("5 samples, 2 shown; reward 0 to 4, mean 2"))
        #expect(html.contains("response 0.1") && !html.contains("response 0.2"))
        #expect(html.contains("data-m=\"2\""))
    }

    @Test func longTextsAreCutWithANote() throws {
        // one letter with a thousand marks is one character for readers
        let text = "a" + String(repeating: "\u{301}", count: 999) + "<b>"
        let row = SampleRow(id: "1", input: text, response: text)
        let html = try body([.init(of: "SFT", split: "test", rows: [row])]) {
            ($0.promptCharacters, $0.responseCharacters) = (1001, 500)
        }.html.source
        #expect(html.contains("&lt;</div>\n<p class=\"quiet t-cut\">2 more characters are not shown.</p>"))
        #expect(html.contains("<p class=\"quiet t-cut\">503 more characters are not shown.</p>"))
    }

    @Test func namesOfSplitsMakePlainIds() throws {
        let names = ["a b", "a-b", "\"><script>", "", "ünï"]
        let html = try body(names.map { .init(of: "SFT", split: $0, rows: rows(1)) }).html.source
        let ids = html.matches(of: /<article class="t-prompt" id="([^"]*)"/).map { String($0.1) }
        #expect(ids.count == names.count)
        #expect(Set(ids).count == names.count)
        #expect(ids.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]+/) != nil })
        #expect(!html.contains("<script"))
    }

    @Test func hostileTextsAreNoMarkup() throws {
        let texts = [
            "<script>alert(1)</script>", "</script>", "<!--", "]]>", "\"><img src=x onerror=alert(1)>", "\u{0}\u{7}\u{ffff}", "\u{2028}",
            "\u{202e}", "",
        ]
        let rows = texts.map { SampleRow(id: $0, input: $0, response: $0, reference: $0, reward: .nan, numbers: [$0: 1]) }
        let page = try HTMLReport.page(
            ReportContent(samples: texts.map { .init(of: $0, split: $0, rows: rows) }), title: "t",
            sections: [TextsSection.section(seed: 1)]
        ).text
        let content = page.components(separatedBy: "<main").dropFirst().joined().components(separatedBy: "</main>")[0]
        for word in ["<script", "<img", "<!--", "\u{0}", "\u{7}", "\u{ffff}", "nan"] { #expect(!content.contains(word), "\(word)") }
        // the data of the script cannot end its element
        let data = page.components(separatedBy: "id=\"texts-data\">").dropFirst().joined().components(separatedBy: "</script>")[0]
        #expect(!data.contains("<") && !data.contains("\u{2028}"))
        let names = try #require(try JSONSerialization.jsonObject(with: Foundation.Data(data.utf8)) as? [String: Any])
        #expect(names["systems"] as? [String] == texts)
    }

    @Test func verdictsStandAtTheirPairs() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let judged = folder["judged"]
        try FileManager.default.createDirectory(at: judged, withIntermediateDirectories: true)
        try RunConfiguration(stage: .diversity, program: "test", options: [:]).write(inRun: judged)
        try #"{"systems": ["one", "two<b>"]}"#.write(
            to: judged.appendingPathComponent("preferences.json"), atomically: true, encoding: .utf8)
        try """
        {"input": "prompt 0", "first": "response 0.0", "second": "other 0.0", "forward": "first", "backward": "first", "outcome": 1}
        {"input": "prompt 1", "first": "response 1.0", "second": "unknown", "forward": "tie", "backward": "tie", "outcome": 0.5}
        {"input": "prompt 2", "first": "response 2.0", "second": "other 2.0", "outcome": 0.5}

        """.write(to: judged.appendingPathComponent("verdicts.jsonl"), atomically: true, encoding: .utf8)
        let run = try #require(ReportedRun(judged) { _ in })
        let samples: [ReportContent.Sample] = [
            .init(of: "SFT", split: "test", rows: rows(4)), .init(of: "PPO", split: "test", rows: rows(4, text: "other")),
        ]
        let result = try body(samples, runs: [run])
        let html = result.html.source
        #expect(html.contains("<b><bdi>SFT</bdi></b> is better than <bdi>PPO</bdi>"))
        #expect(html.contains("<bdi>SFT</bdi> and <bdi>two&lt;b&gt;</bdi> are equal"))
        #expect(html.contains("no verdict on <bdi>SFT</bdi> and <bdi>PPO</bdi>"))
        #expect(html.components(separatedBy: "t-judged").count - 1 == 3)
        #expect(result.notes == [])
        try "{".write(to: judged.appendingPathComponent("verdicts.jsonl"), atomically: true, encoding: .utf8)
        let damaged = try body(samples, runs: [run])
        #expect(damaged.notes.count == 1 && damaged.notes[0].contains("verdicts.jsonl"))
    }
}
