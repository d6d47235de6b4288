import ArgumentParser
import Data
import Foundation
import CommandLine
import Report
import Runs
import Study
import Testing
import _TestSupport

/// Which comparisons belong to which split under the published code's options; see Tests/Fixtures/original/make_comparisons.py.
@Suite struct OriginalComparisonTests {
    private struct Numbers: Decodable {
        struct Raw: Decodable {
            let split: String
            let number: Int
            let news: Bool
            let texts: [String]
        }
        let posts, news, index, choices: [String: [Int]]
        let random, structured: [String: [String: [Int]]]
        let raw: [Raw]

        static func load() throws -> Numbers { try Fixtures.json(Numbers.self, from: "original/comparisons.json") }
    }

    private struct Command: ProgramCommand {
        @OptionGroup var data: DataOptions
    }

    /// Gives `body` options over a folder of published sets, made of links, and an index of rows.
    private func withOptions<Result>(
        _ arguments: [String], _ body: (DataSettings) throws -> Result
    ) throws -> Result {
        try withTemporaryFolder { folder in
            for name in ["openai-tldr-summarisation-preferences", "summarize_from_feedback"] {
                try FileManager.default.createSymbolicLink(
                    at: folder.appendingPathComponent(name), withDestinationURL: Fixtures.url("corpora/comparisons"))
            }
            let index = folder.appendingPathComponent("index.json")
            try JSONEncoder().encode(Numbers.load().index).write(to: index)
            let common = ["--dataset", "summarisation", "--data-dir", folder.path, "--sentiment-index", index.path]
            return try body(Command.parse(normalising: common + arguments).data.settings)
        }
    }

    /// The numbers of a split's comparisons in their file, which their second summaries end with.
    private func numbers(_ rows: [Comparison]) throws -> [Int] {
        try rows.map { row in try #require(row.summaries[1].split(separator: " ").last.flatMap { Int($0) }) }
    }

    private func splits(_ data: DataSettings, _ wanted: [String]) throws -> [String: [Int]] {
        let read = try #require(try data.comparisons(in: nil, wanted))
        return try read.rows.mapValues(numbers)
    }

    @Test("random subsets: half of train and validation, drawn with replacement from a seed that is the percentage; test whole")
    func random() throws {
        let expected = try #require(try Numbers.load().random["50"])
        #expect(expected["train"] == [9, 9, 7, 9])
        try withOptions(["--dataset-random-subset", "50", "--reference-compatible"]) { data in
            let found = try splits(data, ["train", "validation", "test"])
            #expect(found == expected)
        }
        // each at most once by default
        try withOptions(["--dataset-random-subset", "50"]) { data in
            let found = try splits(data, ["train", "validation", "test"])
            #expect(Set(found["train"] ?? []).count == 4 && found["test"] == expected["test"])
        }
    }

    @Test("structured subsets by subreddit, length and index", arguments: ["tifu", "AskReddit", "length", "sentiment"], [true, false])
    func structured(_ name: String, asOriginal: Bool) throws {
        let expected = try #require(try Numbers.load().structured[name])
        let names = expected.keys.filter { !(expected[$0] ?? []).isEmpty }
        try withOptions(["--dataset-structured-subset", name] + (asOriginal ? ["--reference-compatible"] : [])) { data in
            // what train leaves out is a split here, too; the original has none
            var found = try splits(data, names)
            found = found.filter { names.contains($0.key) }
            #expect(found == expected.filter { names.contains($0.key) })
        }
    }

    @Test("a random subset wins over a structured one, and comparisons of news are never a subset", arguments: [true, false])
    func news(asOriginal: Bool) throws {
        let fixture = try Numbers.load()
        let more = asOriginal ? ["--reference-compatible"] : []
        try withOptions(["--dataset-random-subset", "50", "--dataset-structured-subset", "tifu"] + more) { data in
            let found = try splits(data, ["train", "test"])
            #expect(found["train"]?.count == 4 && found["test"] == fixture.posts["test"])
            if asOriginal { #expect(found["train"] == fixture.random["50"]?["train"]) }
        }
        try withOptions(["--dataset-random-subset", "50", "--eval-dataset", "cnndm"] + more) { data in
            let found = try splits(data, ["train", "test", "ood_validation", "ood_test"])
            #expect(found["ood_validation"] == fixture.news["validation"] && found["ood_test"] == fixture.news["test"])
            #expect(found["train"]?.count == 4)
        }
    }

    @Test("what a reward model reads: both texts with all their blanks, the end of sequence as text, and which one was chosen")
    func texts() throws {
        let fixture = try Numbers.load()
        try withOptions(["--reference-compatible"]) { data in
            #expect(try data.compatibility.rewardText == .raw)
            let folder = Fixtures.url("corpora/comparisons").path
            let read = try #require(try data.comparisons(in: folder, ["train", "validation", "test"]))
            for (split, choices) in fixture.choices { #expect(try read.rows(of: split).map(\.choice) == choices) }
            for item in fixture.raw {
                let row = try #require(try read.rows(of: item.split).first { try numbers([$0]) == [item.number] })
                #expect((row.promptFormat == .cnnDailyMail) == item.news, "\(item.number)")
                let tokenised = try RewardTokenisation(text: .raw, maximumTokens: 100_000).tokenise([row], with: Scalars())
                let pair = try #require(tokenised.comparisons.first)
                let texts = pair.summaries.map { Scalars().decode(pair.prompt + $0, skippingSpecialTokens: false) }
                #expect(texts == item.texts && pair.choice == row.choice)
            }
        }
    }

    /// A tokenizer whose ids are a text's scalars, but for the end of sequence, which is read as one id.
    private struct Scalars: Tokenizer {
        var vocabularySize: Int { 0x110000 }
        var beginOfSequence: Int32? { nil }
        var endOfSequence: Int32? { 0 }
        var padding: Int32? { nil }
        var unknown: Int32? { nil }
        func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] {
            text.replacing("</s>", with: "\0").unicodeScalars.map { Int32($0.value) }
        }
        func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
            String(String.UnicodeScalarView(ids.compactMap { Unicode.Scalar(UInt32($0)) })).replacing("\0", with: "</s>")
        }
        func save(to folder: URL) throws {}
    }
}
