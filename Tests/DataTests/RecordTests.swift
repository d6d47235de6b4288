import Data
import Formats
import Foundation
import Testing
import _TestSupport

struct RecordTests {
    @Test func promptsAreExact() {
        let example = example(subreddit: "tifu", title: "A title", post: "First.\nSecond.", summary: "s")
        #expect(
            PromptFormat.tldr.prompt(for: example) == "SUBREDDIT: r/tifu\nTITLE: A title\nPOST: First.\nSecond.\nTL;DR:"
        )
        #expect(PromptFormat.cnnDailyMail.prompt(for: example) == "ARTICLE: First.\nSecond.\nTL;DR:")
        let comparison = Comparison(
            id: "a", subreddit: "tifu", title: "A title", post: "First.\nSecond.", summaries: ["x", "y"], choice: 1)
        for format in PromptFormat.allCases {
            #expect(format.prompt(for: comparison) == format.prompt(for: example))
        }
    }

    @Test(arguments: ["I am", " I am", "  I am", "\n\t I am", "\u{a0}I am"])
    func canonicalTextHasOneSpace(_ summary: String) {
        let text = RewardText.canonical.text(prompt: "TL;DR:", summary: summary, endOfSequence: "</s>")
        #expect(text == "TL;DR: I am</s>")
        #expect(RewardText.canonical.text(prompt: "TL;DR: ", summary: summary) == "TL;DR: I am")
    }

    @Test func rawTextIsLeftAlone() {
        #expect(RewardText.raw.text(prompt: "TL;DR:", summary: " I am", endOfSequence: "</s>") == "TL;DR:  I am</s>")
        #expect(RewardText.canonical.text(prompt: "p", summary: "a b ") == "p a b ")
    }

    @Test func comparisonsHaveThePublishedShape() throws {
        let comparison = Comparison(
            id: "t3_1", subreddit: "tifu", title: "T", post: "P/Q", summaries: [" one", " two"], choice: 1)
        #expect(
            try JSONLines<Comparison>.line(comparison)
                == #"{"choice":1,"info":{"id":"t3_1","post":"P/Q","subreddit":"tifu","title":"T"},"summaries":[{"text":" one"},{"text":" two"}]}"#
        )
        #expect(comparison.chosen == " two" && comparison.rejected == " one")
    }

    @Test func publishedComparisonsDecode() throws {
        let lines = [
            #"{"info": {"id": "t3_2", "post": "P", "title": "T", "subreddit": "AskReddit", "article": null, "site": null}, "summaries": [{"text": " a", "policy": "sup1", "note": "x"}, {"text": " b", "policy": "ref", "note": null}], "choice": 0, "worker": "w", "batch": "batch3", "split": "train", "extra": {"confidence": null}}"#,
            #"{"info": {"id": "f2", "post": null, "title": null, "subreddit": null, "article": "An article"}, "summaries": [{"text": "a"}, {"text": "b"}], "choice": 1, "batch": "cnndm0"}"#,
        ]
        try withTemporaryFolder { folder in
            let file = try folder.adding("c.jsonl", lines.joined(separator: "\n"))
            let rows = try JSONLines<Comparison>(file).read()
            #expect(rows.count == 2)
            #expect(rows[0].subreddit == "AskReddit" && rows[0].summaries == [" a", " b"] && rows[0].choice == 0)
            #expect(rows[1].post == "An article" && rows[1].title.isEmpty && rows[1].subreddit.isEmpty)
        }
    }

    @Test func sampleRowsCarryNumbersAsColumns() throws {
        let row = SampleRow(
            id: "1", input: "p", response: "r", reference: "s", reward: 0.5, numbers: ["kl": 1.25, "length": 3])
        let line = try JSONLines<SampleRow>.line(row)
        #expect(line == #"{"id":"1","input":"p","kl":1.25,"length":3,"reference":"s","response":"r","reward":0.5}"#)
        let back = try JSONDecoder().decode(SampleRow.self, from: Foundation.Data(line.utf8))
        #expect(back == row)
        let bare = SampleRow(id: "1", input: "p", response: "r")
        #expect(try JSONDecoder().decode(SampleRow.self, from: JSONEncoder().encode(bare)) == bare)
        var withTokens = bare
        withTokens.tokens = [5, 6, 2]
        #expect(try JSONDecoder().decode(SampleRow.self, from: JSONEncoder().encode(withTokens)) == withTokens)
        // a table of another program may have text in the column
        let foreign = #"{"id": "1", "input": "p", "response": "r", "token_predictions": "5 6 2"}"#
        #expect(try JSONDecoder().decode(SampleRow.self, from: Foundation.Data(foreign.utf8)) == bare)
    }

    @Test func numbersThatJSONCannotHoldAreRefused() {
        for row in [
            SampleRow(id: "1", input: "", response: "", numbers: ["kl": .nan]),
            SampleRow(id: "1", input: "", response: "", numbers: ["reward": 1]),
            SampleRow(id: "1", input: "", response: "", reward: .infinity),
        ] {
            #expect(throws: RowProblem.self) { try JSONLines<SampleRow>.line(row) }
        }
    }

    @Test func rewardsBeyondFloatsAreNamedWithTheirLine() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("rows.jsonl")
            let rows = ["3.4e38", "-1e308"].map { #"{"id": "a", "input": "", "response": "", "reward": \#($0)}"# + "\n" }
            try Foundation.Data(rows.joined().utf8).write(to: file)
            #expect(throws: FormatError.badRow(RowLocation(file: file.path, line: 2), .rewardOutOfRange(-1e308))) {
                try JSONLines<SampleRow>(file).read()
            }
        }
    }
}
