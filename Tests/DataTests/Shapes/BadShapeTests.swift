import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Rows that are not of their file's shape, or of none: named with file and line, or left out and counted.
@Suite struct BadShapeTests {
    private static let question = #"{"role": "user", "content": "q"}"#

    /// A sound first row, a row that is not like it, and words about that.
    static let mixed: [(first: String, second: String, words: String)] = [
        (
            #"{"instruction": "q", "output": "a"}"#, #"{"prompt": "q", "completion": "a"}"#,
            "the row has the format prompt-completion, but earlier rows have alpaca; use one format per file"
        ),
        (
            #"{"subreddit": "s", "title": "t", "post": "p", "summary": "y"}"#, "{\"messages\": [\(question)]}",
            "the row has the format messages, but earlier rows have posts"
        ),
        (
            #"{"prompt": "q", "completion": "a"}"#, "{\"prompt\": [\(question)], \"completion\": [\(question)]}",
            "the row has messages, but earlier rows strings; use one kind per file"
        ),
        (
            "{\"prompt\": [\(question)]}", #"{"prompt": "q"}"#, "the row has strings, but earlier rows messages"
        ),
        (
            #"{"instruction": "q", "output": "a"}"#, #"{"question": "q", "answer": null}"#,
            "the format alpaca expects the columns instruction and output; input is optional; the row has question, answer (empty)"
        ),
        (
            #"{"instruction": "q", "output": "a"}"#, #"{"instruction": null, "output": "a"}"#, "the row has instruction (empty), output"
        ),
        (#"{"prompt": "q", "completion": "a"}"#, #"{"prompt": "q", "completion": null}"#, "the row has the format prompt, but earlier"),
        (#"{"instruction": "q", "output": "a"}"#, "{}", "the row has none"),
        (#"{"instruction": "q"}"#, #"{"instruction": ["q"]}"#, "\"instruction\" must be a string, not an array"),
    ]

    @Test("a row of another shape than the rows before it is named, or left out and counted", arguments: mixed.indices)
    func mixedRows(_ index: Int) throws {
        let (first, second, words) = Self.mixed[index]
        let found = ShapeFixture.problem(SummaryExample.self, [first, "", second, first])
        #expect(found.contains("train.jsonl:3: ") && found.contains(words), "\(found)")
        let skipped = try ShapeFixture.read(SummaryExample.self, [first, second, first], onBadRow: .skip)
        #expect(skipped.rows.count == 2 && skipped.counts.skipped == 1 && skipped.counts.problems[0].contains("train.jsonl:2"))
        #expect(skipped.rows.map(\.id) == ["train-0", "train-2"])
    }

    /// Rows of comparisons that are wrong, and words about them.
    static let comparisons: [(row: String, words: String)] = [
        (#"{"prompt": "q", "chosen": "a", "rejected": "a"}"#, "\"chosen\" and \"rejected\" are identical"),
        (#"{"chosen": "a", "rejected": "b"}"#, "there is no \"prompt\", and \"chosen\" and \"rejected\" have no common beginning"),
        ("{\"prompt\": [\(question)], \"chosen\": \"a\", \"rejected\": \"b\"}", "\"prompt\" must be a string, not an array"),
        ("{\"prompt\": \"q\", \"chosen\": [\(question)], \"rejected\": \"b\"}", "\"chosen\" must be a string, not an array"),
        (#"{"prompt": "q", "completion": "a", "label": "yes"}"#, "\"label\" must be true or false, not a string"),
        (#"{"prompt": "q", "completion": "a", "label": 2}"#, "\"label\" must be true or false, not \"2\""),
        (
            #"{"instruction": "q", "output_1": "a", "output_2": "b", "preference": 0}"#,
            "\"preference\" must be 1 or 2, not 0; remove ties"
        ),
        (#"{"instruction": "q", "output_1": "a", "output_2": "b"}"#, "\"preference\" is missing"),
        (#"{"instruction": "q", "output_1": "a", "output_2": null, "preference": 1}"#, "\"output_2\" is missing"),
        (#"{"instruction": "q", "output_1": "a", "output_2": "a", "preference": 1}"#, "\"output_1\" and \"output_2\" are identical"),
        (#"{"chosen": "\n\nHuman: q", "rejected": "\n\nHuman: q"}"#, "have no \"Assistant:\" in a common beginning"),
        ("{\"chosen\": [], \"rejected\": []}", "\"chosen\" is an empty list"),
        (
            #"{"question": "q", "good": "a", "bad": "b"}"#,
            "no format for comparisons has the columns question, good, bad; expected one of comparisons (info, summaries and choice); "
        ),
        (#"{"info": {}, "summaries": []}"#, "\"summaries\" must hold 2 summaries"),
    ]

    @Test("what is wrong with a comparison is named with file and line", arguments: comparisons.indices)
    func badComparisons(_ index: Int) {
        let (row, words) = Self.comparisons[index]
        let found = ShapeFixture.problem(Comparison.self, [row])
        #expect(found.contains("train.jsonl:1: ") && found.contains(words), "\(found)")
    }

    @Test("a row with the columns of no shape names them and what is expected")
    func unknownColumns() {
        let found = ShapeFixture.problem(SummaryExample.self, [#"{"text": "a", "tags": null}"#])
        #expect(
            found.contains("train.jsonl:1: no format for examples has the columns text, tags (empty); expected one of posts (subreddit"))
        #expect(!found.contains("hh-messages") && found.contains("alpaca (instruction and output; input is optional)"))
        let post = ShapeFixture.problem(SummaryExample.self, [#"{"subreddit": "s", "title": "t", "summary": "y"}"#])
        #expect(post.contains("field \"post\" is missing"))
    }

    @Test("rows without the columns of the shape that is asked for say which it expects and what they have")
    func namedShape() throws {
        let alpaca = try #require(RowShape.named("alpaca"))
        let found = ShapeFixture.problem(SummaryExample.self, [#"{"prompt": "q", "completion": "a"}"#], shapes: [alpaca])
        #expect(found.contains("train.jsonl:1: the format alpaca expects the columns instruction and output"))
        #expect(found.contains("; the row has prompt, completion"))
        let pairs = ShapeFixture.problem(Comparison.self, [#"{"instruction": "q", "output": "a"}"#], shapes: [alpaca])
        #expect(pairs.contains("rows of the format alpaca are not comparisons"))
    }

    @Test(
        "roles that no template knows are named",
        arguments: [
            (
                #"{"messages": [{"role": "usr", "content": "q"}]}"#,
                "\"messages.0.role\" is the unknown role \"usr\"; expected system, user"
            ),
            (
                "{\"prompt\": [\(question)], \"completion\": [{\"role\": \"Assistant\", \"content\": \"a\"}]}",
                "\"completion.0.role\" is the unknown role \"Assistant\""
            ),
            (
                #"{"conversations": [{"from": "bot", "value": "q"}]}"#,
                "\"conversations.0.from\" is the unknown role \"bot\"; expected human"
            ),
            (#"{"conversations": [{"role": "user", "content": "q"}]}"#, "\"conversations.0.from\" is missing"),
            (#"{"conversations": []}"#, "\"conversations\" is an empty list"), (#"{"messages": []}"#, "\"messages\" is an empty list"),
            ("{\"prompt\": [\(question)], \"completion\": []}", "\"completion\" is an empty list"),
        ])
    func unknownRoles(_ line: String, _ words: String) throws {
        let found = ShapeFixture.problem(SummaryExample.self, [line])
        #expect(found.contains("train.jsonl:1: ") && found.contains(words), "\(found)")
        let good = "{\"messages\": [\(Self.question)]}"
        let skipped = try ShapeFixture.read(SummaryExample.self, [line, good], onBadRow: .skip)
        #expect(skipped.rows.count == 1 && skipped.counts.skipped == 1 && skipped.shape == "messages")
    }
}
