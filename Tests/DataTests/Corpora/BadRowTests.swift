import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Everything that can be wrong with a row, in each format: found with file and line, and left out where that is wanted.
struct BadRowTests {
    private static let good = #"{"id": "a", "subreddit": "s", "title": "t", "post": "p", "summary": "y"}"#
    private static func post(_ id: String) -> String { good.replacing("\"a\"", with: "\"\(id)\"") }

    @Test func duplicateIDsAreFoundInEveryFormat() throws {
        let lines = [Self.post("a"), Self.post("b"), Self.post("a"), Self.post("c")]
        let contents = [
            "f.jsonl": lines.joined(separator: "\n"), "f.json": "[\(lines.joined(separator: ",\n"))]",
            "f.csv": "subreddit,title,post,summary,id\n" + ["a", "b", "a", "c"].map { "s,t,p,y,\($0)\n" }.joined(),
        ]
        try withTemporaryFolder { folder in
            for (name, text) in contents {
                let file = try folder.adding(name, text)
                let first = name == "f.csv" ? 2 : 1
                #expect(
                    formatError { _ = try RowFile<SummaryExample>(file).read() }
                        == .badRow(RowLocation(file: file.path, line: first + 2), .duplicateID("a", firstLine: first)))
                let rows = RowFile<SummaryExample>(file, onBadRow: .skip)
                #expect(try rows.read().map(\.id) == ["a", "b", "c"])
                #expect(try rows.count() == 3)
                let counts = try rows.readEach { _, _ in }
                #expect(
                    counts.skipped == 1
                        && counts.problems[0].contains("\(name):\(first + 2): the id \"a\" was already used"))
            }
        }
    }

    @Test func rowsWithoutIDsAreNumbered() throws {
        try withTemporaryFolder { folder in
            let file = try folder.adding("train.csv", "subreddit,title,post,summary,id\ns,t,p,y,\ns,t,p,y,\n")
            #expect(try RowFile<SummaryExample>(file).read().map(\.id) == ["train-0", "train-1"])
            let numbers = try folder.adding("test.jsonl", Self.good.replacing("\"a\"", with: "17"))
            #expect(try RowFile<SummaryExample>(numbers).read().map(\.id) == ["17"])
        }
    }

    static let comparison =
        #"{"info": {"id": "a", "post": "p", "title": "t", "subreddit": "s"}, "summaries": [{"text": "x"}, {"text": "y"}], "choice": 1}"#

    static let badComparisons: [(String, String, RowProblem)] = [
        (#""choice": 1"#, #""choice": 2"#, .choiceOutOfRange(2)),
        (#""choice": 1"#, #""choice": -1"#, .choiceOutOfRange(-1)),
        (#""choice": 1"#, #""choice": 0.5"#, .wrongType(field: "choice", expected: "a whole number", got: "0.5")),
        (#""choice": 1"#, #""choice": "1""#, .wrongType(field: "choice", expected: "a whole number", got: "a string")),
        (
            #""choice": 1"#, #""choice": true"#,
            .wrongType(field: "choice", expected: "a whole number", got: "a boolean")
        ),
        (#""choice": 1"#, #""choice": null"#, .missingField("choice")),
        (#", {"text": "y"}"#, "", .wrongNumberOfSummaries(1)),
        (#"{"text": "y"}"#, #"{"text": "y"}, {"text": "z"}"#, .wrongNumberOfSummaries(3)),
        (#"{"text": "y"}"#, #"{"note": "y"}"#, .missingField("summaries.1.text")),
        (
            #"{"text": "y"}"#, #"{"text": 3}"#,
            .wrongType(field: "summaries.1.text", expected: "a string", got: "a number")
        ),
        (#", "subreddit": "s""#, "", .missingField("info.subreddit")),
        (#""post": "p""#, #""post": null"#, .missingField("info.post")),
        (#""post": "p""#, #""post": ["p"]"#, .wrongType(field: "info.post", expected: "a string", got: "an array")),
        (#""info": {"#, #""information": {"#, .missingField("info.subreddit")),
    ]

    @Test(arguments: badComparisons.indices)
    func badComparisonsAreNamed(_ index: Int) throws {
        let (old, new, problem) = Self.badComparisons[index]
        try withTemporaryFolder { folder in
            let bad = Self.comparison.replacing(old, with: new)
            #expect(bad != Self.comparison)
            let file = try folder.adding("train.jsonl", Self.comparison + "\n\n" + bad + "\n" + Self.comparison)
            #expect(
                formatError { _ = try RowFile<Comparison>(file).read() }
                    == .badRow(RowLocation(file: file.path, line: 3), problem))
            let skipping = RowFile<Comparison>(file, onBadRow: .skip)
            #expect(try skipping.read().count == 2)
        }
    }

    @Test func badCellsAreNamed() throws {
        let header = "info.id,info.post,info.title,info.subreddit,summaries,choice\n"
        let good = #"a,p,t,s,"[{""text"": ""x""}, {""text"": ""y""}]",1"# + "\n"
        let cases: [(String, RowProblem)] = [
            (#"a,p,t,s,"[{""text"": ""x""}, {""text"": ""y""}]",2"#, .choiceOutOfRange(2)),
            (
                #"a,p,t,s,"[{""text"": ""x""}, {""text"": ""y""}]",one"#,
                .wrongType(field: "choice", expected: "a whole number", got: "\"one\"")
            ),
            (#"a,p,t,s,"[{""text"": ""x""}, {""text"": ""y""}]","#, .missingField("choice")),
            (#"a,p,t,s,"[{""text"": ""x""}]",0"#, .wrongNumberOfSummaries(1)),
            (
                #"a,p,t,s,"[{'text': 'x'}, {'text': 'y'}]",0"#,
                .malformed(
                    "the nested values of column \"summaries\" are not JSON; write files with nested columns as JSON Lines"
                )
            ),
        ]
        try withTemporaryFolder { folder in
            for (bad, problem) in cases {
                let file = try folder.adding("train.csv", header + good + bad + "\n")
                #expect(
                    formatError { _ = try RowFile<Comparison>(file).read() }
                        == .badRow(RowLocation(file: file.path, line: 3), problem))
                #expect(try RowFile<Comparison>(file).read(first: 1).map(\.choice) == [1])
            }
        }
    }

    @Test func unknownPromptFormatsAreNamed() throws {
        try withTemporaryFolder { folder in
            let named = String(Self.good.dropLast()) + #", "promptFormat": "cnnDailyMail"}"#
            let file = try folder.adding("f.jsonl", named)
            #expect(try RowFile<SummaryExample>(file).read()[0].promptFormat == .cnnDailyMail)
            let bad = try folder.adding("g.jsonl", named.replacing("cnnDailyMail", with: "html"))
            guard
                case .badRow(_, .wrongType("promptFormat", _, _)) = formatError({
                    _ = try RowFile<SummaryExample>(bad).read()
                })
            else {
                Issue.record("an unknown format was read")
                return
            }
        }
    }

    @Test func emptySplitsAreErrors() throws {
        try withTemporaryFolder { folder in
            _ = try folder.adding("train.jsonl", Self.good)
            _ = try folder.adding("test.csv", "id,subreddit,title,post,summary\n")
            let corpus = try SummaryCorpus.load(folder)
            guard case .emptySplit("test", _) = dataError({ _ = try corpus.examples(in: "test") }) else {
                Issue.record("an empty split was given out")
                return
            }
            let structure = SplitSelection.structured(.subreddit("tifu"))
            #expect(
                dataError { _ = try SummaryCorpus.load(folder, wanted: ["train"], selection: structure) }
                    == .emptySplit("train", reason: "no row of \"train\" has the subreddit \"tifu\""))
            #expect(
                dataError {
                    _ = try SummaryCorpus.load(folder, wanted: ["ood_train"], selection: .structured(.subreddit("s")))
                }
                    == .emptySplit("ood_train", reason: "every row of \"train\" has the subreddit \"s\""))
            #expect(
                try SummaryCorpus.load(folder, wanted: ["train"], selection: .structured(.subreddit("s"))).corpus.splits
                    .count == 1)
        }
    }
}
