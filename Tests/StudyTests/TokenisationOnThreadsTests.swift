import Data
import Foundation
import Study
import Tensor
import Testing

/// Tokenisation on several threads against tokenisation of all rows at once.
@Suite struct TokenisationOnThreadsTests {
    /// One token per byte.
    private struct Bytes: Tokenizer {
        var endOfSequence: Int32? = 256
        let vocabularySize = 257
        let beginOfSequence: Int32? = nil
        let padding: Int32? = nil
        let unknown: Int32? = nil
        func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] { text.utf8.map(Int32.init) }
        func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
            String(decoding: ids.filter { $0 < 256 }.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
        }
        func save(to folder: URL) throws {}
    }

    /// Posts of different lengths, every seventh without a summary.
    private func examples(_ count: Int) -> [SummaryExample] {
        (0..<count).map { index in
            SummaryExample(
                id: "\(index)", subreddit: "tifu", title: "T", post: String(repeating: "p", count: index % 50),
                summary: index % 7 == 0 ? "" : String(repeating: "s", count: index % 20))
        }
    }

    @Test(arguments: [1, 2, 7], [0, 1, 32, 33, 150]) func examplesAndPrompts(threads: Int, count: Int) throws {
        let (tokenisation, rows) = (SFTTokenisation(maximumSource: 60, maximumTarget: 10), examples(count))
        let (expected, prompts) = (
            try tokenisation.tokenise(rows, with: Bytes()), try tokenisation.prompts(rows, with: Bytes())
        )
        let (found, foundPrompts) = try Compute.$threads.withValue(threads) {
            (try tokenisation.tokenisedOnThreads(rows, with: Bytes()), try tokenisation.promptsOnThreads(rows, with: Bytes()))
        }
        #expect(found == expected && foundPrompts == prompts)
        if count == 150 { #expect(expected.dropped > 0 && expected.truncatedPrompts > 0 && expected.truncatedTargets > 0) }
    }

    @Test("only what was truncated or dropped is reported") func note() throws {
        let (cut, blank) = (String(repeating: "s", count: 40), "")
        func note(_ summaries: [String], post: Int = 3) throws -> String? {
            let rows = summaries.enumerated().map { index, summary in
                SummaryExample(
                    id: "\(index)", subreddit: "tifu", title: "T", post: String(repeating: "p", count: post), summary: summary)
            }
            return try SFTTokenisation(maximumSource: 500, maximumTarget: 10).tokenise(rows, with: Bytes()).note
        }
        #expect(try note([]) == nil && note(["s"]) == nil)
        #expect(try note(["s", blank]) == "dropped, because it has no token to train on: 1 example")
        #expect(try note([cut, cut, "s"]) == "truncated: 2 summaries")
        #expect(try note(["s"], post: 1000) == "truncated: 1 prompt")
        #expect(
            try note([cut, blank, blank], post: 1000)
                == "truncated: 1 prompt and 1 summary; dropped, because they have no token to train on: 2 examples")
    }

    @Test(arguments: [1, 2, 7]) func comparisons(threads: Int) throws {
        let rows = examples(150).map {
            Comparison(
                id: $0.id, subreddit: $0.subreddit, title: $0.title, post: $0.post, summaries: [$0.summary, "other"], choice: 0)
        }
        let tokenisation = RewardTokenisation(maximumTokens: 70)
        let expected = try tokenisation.tokenise(rows, with: Bytes())
        let found = try Compute.$threads.withValue(threads) { try tokenisation.tokenisedOnThreads(rows, with: Bytes()) }
        #expect(found.comparisons == expected.comparisons && found.truncated == expected.truncated)
        #expect(expected.truncated > 0)
    }

    @Test(arguments: [0, 100]) func aTokenizerWithoutAnEndIsRefused(count: Int) {
        #expect(throws: DataError.self) {
            try SFTTokenisation().tokenisedOnThreads(examples(count), with: Bytes(endOfSequence: nil))
        }
    }
}
