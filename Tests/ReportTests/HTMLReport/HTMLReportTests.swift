import Data
import Eval
import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

/// The page as a whole: what is in it, what is never in it, and what it does with runs that are not whole.
@Suite struct HTMLReportTests {
    private static let elements: Set<String> = [
        "html", "head", "meta", "title", "link", "style", "script", "body", "a", "header", "h1", "h2", "h3", "p", "nav", "ul", "li", "main",
        "section", "figure", "figcaption", "div", "span", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary",
        "code", "article", "b", "h4",
        "bdi", "svg", "desc", "button", "input", "label", "select", "option", "output", "ol", "mark", "pre", "noscript", "template", "g",
        "rect", "line", "polyline", "polygon", "circle", "text",
    ]

    /// Checks what every page must be.
    private func check(_ page: String, _ place: String = "") -> PageMarkup {
        let markup = PageMarkup(page)
        #expect(markup.problems.isEmpty, "\(place)")
        #expect(markup.names.subtracting(Self.elements).isEmpty, "\(place)")
        #expect(Set(markup.ids).count == markup.ids.count, "ids are unique")
        #expect(Set(markup.targets).subtracting(markup.ids).isEmpty, "links lead somewhere")
        #expect(markup.headings.first == 1 && markup.headings.count { $0 == 1 } == 1)
        #expect(zip(markup.headings, markup.headings.dropFirst()).allSatisfy { $1 <= $0 + 1 }, "no level of headings is left out")
        #expect(markup.scripts >= 1)
        return markup
    }

    @Test("all parts are there, and nothing is missing")
    func whole() throws {
        let fixture = try ReportFixture()
        let page = try fixture.page()
        let markup = check(page)
        for id in ["front", "systems", "best-of-n", "curves", "reward-model", "runs"] { #expect(markup.ids.contains(id)) }
        let missing = try fixture.content().missing
        #expect(!markup.ids.contains("missing") && missing.isEmpty)
        #expect(markup.text.contains("A & B, 2 cores") && markup.text.contains("1 min 02 s"))
        #expect(markup.text.contains("--learning-rate"))
        #expect(page.contains("default-src &#39;none&#39;") && !page.contains("@import"))
        // everything that loads something is in the policy's way, and there is nothing of the kind
        for word in ["url(", "<img", "<iframe", "<object", "https://"] { #expect(!page.contains(word), "\(word)") }
    }

    @Test(
        "texts of others become neither markup nor script, wherever they stand",
        arguments: [
            "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg onload=alert(1)>", "</title></style></script><b>",
            "</text></svg><script>alert(1)</script>", "--><script>alert(1)</script><!--", "\u{202e}gnp.exe\u{2066}",
            "\u{0}\u{1b}[31m\u{7f}\r\n",
            "&lt;b&gt;&amp;", "]]>", "javascript:alert(1)", "{{constructor}}`${1}`",
        ])
    func hostile(text: String) throws {
        let name = text.filter { $0 != "/" && $0 != "\0" }
        let fixture = try ReportFixture(text: text, name: name)
        let page = try fixture.page()
        let markup = check(page, text)
        // there is nothing that a page of harmless texts does not have
        let harmless = PageMarkup(try ReportFixture().page())
        #expect(markup.scripts == harmless.scripts && markup.names.isSubset(of: harmless.names))
        // what was written stands in the page as text, but for characters that no page may have
        let shown = text.replacing("\r\n", with: "\n").unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        if shown { #expect(markup.text.contains("report\(text)")) }
        #expect(!page.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
        for picture in try HTMLReport.sections.compactMap({ try $0.make(fixture.content()) }).flatMap(\.pictures) {
            let drawn = PageMarkup(picture.document)
            #expect(drawn.problems.isEmpty && drawn.names.isSubset(of: Self.elements) && !drawn.names.contains("script"))
        }
    }

    @Test("the numbers of systems are those of summary.json, also without scripts")
    func numbers() throws {
        let markup = PageMarkup(try ReportFixture().page())
        let compact = markup.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for (_, system) in [("SFT", SummaryTests.summary.systems.sft), ("best-of-4", SummaryTests.summary.systems.bon)] {
            for scores in [system.id, system.ood].compactMap({ $0 }) {
                for interval in [scores.reward, scores.rougeL, scores.gold, scores.perInputEAD, scores.acrossInputEAD].compactMap({ $0 }) {
                    let text = String(format: "%.3f [%.3f, %.3f]", interval.mean, interval.low, interval.high)
                    #expect(compact.contains(text), "\(text)")
                }
            }
        }
        #expect(compact.contains("best-of-4"), "the number of samples is in the name")
    }

    @Test("without a summary the samples are measured, and that is said")
    func measured() throws {
        let fixture = try ReportFixture(hasSummary: false)
        let content = try fixture.content()
        #expect(content.missing.count == 1 && content.missing.contains { $0.contains("summary.json") })
        let systems = try #require(content.systems.first).systems
        #expect(systems.map(\.name) == ["SFT", "PPO", "best-of-4"])
        // rewards are sample + 0.1 · prompt: means 1.5 + 0.25, and 3.25 of the best
        #expect(abs((systems[0].id[.reward]?.mean ?? 0) - 1.75) < 1e-12 && abs((systems[1].ood[.reward]?.mean ?? 0) - 2.25) < 1e-12)
        #expect(abs((systems[2].id[.reward]?.mean ?? 0) - 3.25) < 1e-12)
        #expect(
            abs((systems[2].id[.kl]?.mean ?? 0) - (log(4.0) - 0.75)) < 1e-6 && systems[1].id[.kl]?.mean == 1
                && systems[0].id[.kl]?.mean == 0)
        #expect(systems[0].id[.perInputEAD] != nil && systems[0].promptsID == 6)
        _ = check(try fixture.page())
    }

    @Test("best-of-N has the KL bound only where the sampled model is the reference model")
    func divergenceOfBest() throws {
        let fixture = try ReportFixture(hasSummary: false)
        // the best of the policy's samples
        try FileManager.default.copyItem(
            at: fixture.runs.appendingPathComponent("bon/tables/test_best_of_n.jsonl"),
            to: fixture.runs.appendingPathComponent("ppo-samples/tables/test_best_of_n.jsonl"))
        func system(_ name: String) throws -> ReportedSystems.System {
            try #require(fixture.content().systems.first?.systems.first { $0.name == name })
        }
        let best = try system("PPO, best of 4")
        #expect(best.id[.kl] == nil && best.id[.reward] != nil)
        #expect(try system("PPO").id[.kl]?.mean == 1)
        let bound = log(4.0) - 0.75
        #expect(try abs((system("best-of-4").id[.kl]?.mean ?? 0) - bound) < 1e-6)
        let pictures = try #require(try FrontSection.section.make(fixture.content())).pictures
        let picture = try #require(pictures.first { $0.name == "reward-kl" }).document
        #expect(picture.contains("best-of-4") && !picture.contains("PPO, best of 4"))
        #expect(try fixture.page().contains("an upper bound: log n − (n − 1)/n"))
        // the supervised model with a reference that is named: itself, then another
        let run = fixture.runs.appendingPathComponent("bon")
        for (reference, isBound) in [("sft", true), ("ppo", false)] {
            var configuration = try #require(try RunConfiguration.read(inRun: run))
            configuration.options["reference_model"] = .string(fixture.runs.appendingPathComponent(reference).path)
            try configuration.write(inRun: run)
            #expect(try (system("best-of-4").id[.kl] != nil) == isBound, "\(reference)")
        }
    }

    @Test(
        "a page without any one of the files is written and says what is missing",
        arguments: [
            "sft/metrics.jsonl", "sft/timing.json", "sft/config.json", "rm/predictions-validation/scores.csv", "rm/metrics.jsonl",
            "bon/tables/test.jsonl", "bon/tables/ood_test_best_of_n.jsonl", "bon/tables", "ppo-samples/tables/test.jsonl", "summary.json",
            "ppo/final", "bon/config.json",
        ], [false, true])
    func missing(file: String, isDamaged: Bool) throws {
        let fixture = try ReportFixture()
        let url = fixture.runs.appendingPathComponent(file)
        let isFolder = ["bon/tables", "ppo/final"].contains(file)
        try FileManager.default.removeItem(at: url)
        if isDamaged {
            guard !isFolder else { return }
            try ReportFixture.write("{\"id\": 3\n\u{1}<b>", to: url)
        }
        let page = try fixture.page()
        let markup = check(page, file)
        // a table that is not there is not known to have been
        guard isDamaged || !file.contains(".jsonl") || file.hasSuffix("metrics.jsonl") else { return }
        #expect(markup.ids.contains("missing") || file.hasSuffix("config.json") && !isDamaged, "\(file)")
        let words = file.split(separator: "/").flatMap { $0.split(separator: ".") }.map(String.init)
        if markup.ids.contains("missing"), let list = markup.text.range(of: "What is missing", options: .backwards) {
            #expect(words.contains { markup.text[list.upperBound...].contains($0) }, "\(markup.text[list.upperBound...])")
        }
    }

    @Test("a run that has not ended, and one of another version, are shown and named")
    func other() throws {
        let fixture = try ReportFixture()
        try FileManager.default.removeItem(at: fixture.runs.appendingPathComponent("ppo/final"))
        var configuration = try #require(try RunConfiguration.read(inRun: fixture.runs.appendingPathComponent("sft")))
        configuration.versions["swift-rlhf"] = "0.0.1"
        configuration.options["an_option_of_then"] = .integer(3)
        try configuration.write(inRun: fixture.runs.appendingPathComponent("sft"))
        let text = PageMarkup(try fixture.page()).text
        #expect(text.contains("ppo has not finished") && text.contains("sft was made by swift-rlhf 0.0.1"))
        #expect(text.contains("--an-option-of-then"))
    }

    @Test("what calculate-diversity has measured is shown with its intervals; a damaged table is named")
    func diversity() throws {
        let fixture = try ReportFixture()
        let run = try fixture.add("div", .diversity)
        let file = run.appendingPathComponent("final/diversity_ood.csv")
        try ReportFixture.write(
            "metric,more_diverse_is,per_input_mean,per_input_low,per_input_high,across_input_mean\nself<bleu>,lower,0.5,0.25,0.75,1\n",
            to: file)
        let text = check(try fixture.page()).text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("div ood self<bleu> lower 0.500 [0.250, 0.750] 1.000"))
        try ReportFixture.write("metric,b\n1\n", to: file)
        #expect(PageMarkup(try fixture.page()).text.contains("div: cannot read its diversity: "))
    }

    @Test("files that it did not make are not overwritten; its own are")
    func overwriting() throws {
        let fixture = try ReportFixture()
        var task = fixture.task()
        try task.run(ReportListener())
        try task.run(ReportListener())
        #expect(text(of: fixture.folder["report.html"]).contains("<title>swift-rlhf report: runs</title>"))
        let output = fixture.folder["report.html"]
        try ReportFixture.write("<!DOCTYPE html><p>mine</p>", to: output)
        #expect(throws: InvalidSetting.self) { try task.run(ReportListener()) }
        #expect(text(of: output) == "<!DOCTYPE html><p>mine</p>")
        for place in ["runs/sft/report.html", "runs/sft/metrics.jsonl", "runs"] {
            task.report.output = fixture.folder[place].path
            let before = text(of: fixture.folder[place])
            #expect(throws: InvalidSetting.self, "\(place)") { try task.run(ReportListener()) }
            #expect(text(of: fixture.folder[place]) == before)
        }
        task.report.runs = [fixture.folder["nothing"].path]
        task.report.output = fixture.folder["other.html"].path
        #expect(throws: InvalidSetting.self) { try task.run(ReportListener()) }
        #expect(!FileManager.default.fileExists(atPath: task.report.output))
    }

    @Test("pictures are files of their own, which are not overwritten once somebody has changed them")
    func pictures() throws {
        let fixture = try ReportFixture()
        var task = fixture.task()
        task.report.pictures = fixture.folder["pictures"].path
        try task.run(ReportListener())
        let names = TemporaryFolder.names(in: fixture.folder["pictures"])
        #expect(names.contains("reward-diversity.svg") && names.contains("curves-ppo.svg") && names.contains("pictures.json"))
        try task.run(ReportListener())
        let picture = fixture.folder["pictures/reward-diversity.svg"]
        try ReportFixture.write(text(of: picture) + "<!-- by hand -->", to: picture)
        let changed = text(of: picture)
        #expect(throws: InvalidSetting.self) { try task.run(ReportListener()) }
        #expect(text(of: picture) == changed)
        task.report.pictureFormats = ["gif"]
        #expect(throws: InvalidSetting.self) { try task.validate() }
        task.report.pictureFormats = ["pdf"]
        task.report.pictures = nil
        #expect(throws: InvalidSetting.self) { try task.validate() }
    }

    @Test("runs stand in the order of their stages, and samples of one name are told apart")
    func names() throws {
        let fixture = try ReportFixture()
        #expect(try fixture.content().runs.map(\.name) == ["sft", "rm", "ppo", "bon", "ppo-samples"])
        try FileManager.default.copyItem(
            at: fixture.runs.appendingPathComponent("ppo-samples"), to: fixture.runs.appendingPathComponent("again"))
        let systems = try fixture.content().samples.map(\.system)
        #expect(Set(systems) == ["SFT", "PPO (ppo-samples)", "PPO (again)", "best-of-4"])
        // one run twice is one run
        let twice = try ReportContent(reading: [fixture.runs.path, "sft"], in: fixture.runs)
        #expect(twice.runs.count == 6)
    }

    @Test("the page of a study of many systems and seeds stays below 3 MB, and says what was cut")
    func size() throws {
        let fixture = try ReportFixture(steps: 3000, prompts: 2)
        let study = fixture.folder["study"]
        try FileManager.default.createDirectory(at: study, withIntermediateDirectories: true)
        for seed in 1...3 {
            let folder = study.appendingPathComponent("seed-\(seed)", isDirectory: true)
            try FileManager.default.copyItem(at: fixture.runs, to: folder)
            try FileManager.default.removeItem(at: folder.appendingPathComponent("summary.json"))
            for system in 1...40 {
                let copy = folder.appendingPathComponent("ppo-\(system)", isDirectory: true)
                try FileManager.default.createDirectory(at: copy.appendingPathComponent("final"), withIntermediateDirectories: true)
                for file in ["config.json", "metrics.jsonl", "timing.json"] {
                    try FileManager.default.createSymbolicLink(
                        at: copy.appendingPathComponent(file), withDestinationURL: folder.appendingPathComponent("ppo/\(file)"))
                }
            }
        }
        let content = try ReportContent(reading: [study.path], in: fixture.folder.url)
        #expect(content.runs.count == 3 * 45)
        let page = try HTMLReport.page(content, title: "study", sections: HTMLReport.sections).text
        #expect(page.utf8.count < 3_000_000)
        let markup = check(page)
        #expect(markup.text.contains("of 41 run names are drawn"))
    }
}
