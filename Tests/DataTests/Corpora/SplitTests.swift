import Data
import Foundation
import Testing

/// Random and structured subsets, against numpy.
struct SplitTests {
    @Test func publishedVectors() throws {
        // seed, rows → first draws, sum, distinct rows
        let vectors: [(Int, Int, [Int], Int, Int)] = [
            (10, 116_722, [90639, 111586, 30816, 24241, 92511, 96697, 60079, 17424], 682_314_303, 11107),
            (50, 116_722, [91198, 91909, 83405, 97307, 96153, 63952, 28310, 113622], 3_409_173_942, 45853),
            (10, 1000, [776, 956, 264, 207, 792, 828, 514, 149], 49025, 93),
            (50, 1000, [781, 787, 714, 833, 823, 547, 242, 973], 251_759, 403),
            (10, 6447, [5006, 6163, 1702, 1338], 2_042_536, 611),
            (50, 7, [5, 5, 5], 15, 1),
        ]
        for (percent, count, first, sum, distinct) in vectors {
            let rows = try RandomSubset(percent: percent, drawing: .withReplacement).rows(of: count)
            #expect(rows.count == (percent == 10 ? count / 10 : count / 2))
            #expect(Array(rows.prefix(first.count)) == first)
            #expect(rows.reduce(0, +) == sum)
            #expect(Set(rows).count == distinct)
        }
    }

    @Test func withoutReplacementNoRowComesTwice() throws {
        for (percent, count) in [(10, 1000), (50, 1001), (100, 20), (37, 99)] {
            let rows = try RandomSubset(percent: percent).rows(of: count)
            #expect(rows.count == count * percent / 100)
            #expect(Set(rows).count == rows.count && rows.allSatisfy { (0..<count).contains($0) })
            #expect(try RandomSubset(percent: percent).rows(of: count) == rows)
        }
        // must not change between versions; from numpy's bounded integers
        #expect(try RandomSubset(percent: 10).rows(of: 50) == [24, 39, 8, 33, 47])
        #expect(try RandomSubset(percent: 10).rows(of: 9).isEmpty)
        #expect(dataError { _ = try RandomSubset(percent: 0) } != nil)
        #expect(dataError { _ = try RandomSubset(percent: 101) } != nil)
    }

    @Test(arguments: ["posts", "posts-gz"], [10, 50])
    func randomSubsetsOfFilesAreNumpys(folder: String, percent: Int) throws {
        let expected = try #require(CorporaFixture.load().random["\(percent)"])
        let selection = SplitSelection.random(try RandomSubset(percent: percent, drawing: .withReplacement))
        let (corpus, _) = try SummaryCorpus.load(CorporaFixture.url(folder), wanted: nil, selection: selection)
        for (split, ids) in expected {
            #expect(try corpus.examples(in: split).map(\.id) == ids, "\(split)")
            #expect(corpus.sizes[split] == ids.count)
        }
        #expect(Set(corpus.splits.keys) == ["train", "validation", "test"])
        // the same in memory, and cut to a limit
        let whole = try SummaryCorpus.load(CorporaFixture.url(folder))
        #expect(try whole.selecting(selection).splits == corpus.splits)
        let (cut, _) = try SummaryCorpus.load(
            CorporaFixture.url(folder), wanted: ["train"], selection: selection, limit: { _ in 4 })
        #expect(try cut.examples(in: "train").map(\.id) == Array(expected["train"]?.prefix(4) ?? []))
        #expect(cut.sizes["train"] == expected["train"]?.count)
    }

    private func structure(_ name: String) throws -> StructuredSubset {
        try StructuredSubset(name: name) { try SplitIndex(CorporaFixture.url("index.json")) }
    }

    @Test(arguments: ["tifu", "length", "sentiment"])
    func structuredSplitsAreThoseOfPython(name: String) throws {
        let expected = try #require(CorporaFixture.load().structures[name])
        #expect(expected.count == 9)
        let selection = SplitSelection.structured(try structure(name))
        let (corpus, _) = try SummaryCorpus.load(CorporaFixture.url("posts"), wanted: nil, selection: selection)
        #expect(corpus.splits.mapValues { $0.map(\.id) } == expected)
        #expect(corpus.sizes == expected.mapValues(\.count))
        #expect(corpus.availableSplits == SummaryCorpus.splitNames)
        #expect(try SummaryCorpus.load(CorporaFixture.url("posts")).selecting(selection).splits == corpus.splits)
        // only what is asked for is kept; the rest is counted
        let (some, _) = try SummaryCorpus.load(
            CorporaFixture.url("posts"), wanted: ["ood_test", "full_validation"], selection: selection,
            limit: { _ in 3 })
        #expect(Set(some.splits.keys) == ["ood_test", "full_validation"])
        #expect(some.splits["ood_test"]?.map(\.id) == Array(expected["ood_test"]?.prefix(3) ?? []))
        #expect(some.sizes["test"] == expected["test"]?.count && some.sizes["train"] == nil)
    }

    @Test func wordsAreCountedAsPythonSplitsThem() throws {
        for word in try CorporaFixture.load().words {
            #expect(StructuredSubset.words(in: word.text) == word.count, "\(word.text)")
        }
        let inside = example(post: String(repeating: "w ", count: 244) + "w\nw\nw")
        let outside = example(post: String(repeating: "w ", count: 245) + "w")
        let length = StructuredSubset.length(words: StructuredSubset.defaultLength)
        #expect(
            length.isInside(inside, number: 0, split: "train") && !length.isInside(outside, number: 0, split: "train"))
    }

    @Test func structuresHaveNames() throws {
        for name in StructuredSubset.subreddits { #expect(try structure(name) == .subreddit(name)) }
        #expect(try structure("length") == .length(words: 245) && structure("length:80") == .length(words: 80))
        #expect(try structure("subreddit:math") == .subreddit("math"))
        for name in ["", "tifus", "length:", "length:x", "length:0", "subreddit:", "sentiment:x", "Length"] {
            guard case .invalidSetting = dataError({ _ = try structure(name) }) else {
                Issue.record("the structure \(name) was accepted")
                continue
            }
        }
    }

    @Test func randomSubsetsOfComparisonsSeeTheFilteredSet() throws {
        let files = SplitFiles(["train": CorporaFixture.url("comparisons/train.jsonl")])
        let filter = BatchFilter(name: "!cnndm")
        let posts = try #require(CorpusReader<Comparison>(files, accepts: { filter.accepts($0) }).read().rows["train"])
        let subset = try RandomSubset(percent: 50, drawing: .withReplacement)
        let drawn = try CorpusReader<Comparison>(files, selection: .random(subset), accepts: { filter.accepts($0) })
            .read()
        #expect(posts.count == 8)
        #expect(drawn.rows["train"] == subset.rows(of: 8).map { posts[$0] })
    }

    @Test func evaluationSetsBecomeOutOfDistribution() throws {
        let posts = try SummaryCorpus.load(CorporaFixture.url("posts"))
        let news = try SummaryCorpus.load(CorporaFixture.url("news"))
        let both = posts.withOutOfDistribution(news)
        #expect(both.splits["ood_test"] == news.splits["test"] && both.splits["test"] == posts.splits["test"])
        #expect(both.availableSplits == SummaryCorpus.splitNames)
        let prompts = try both.examples(in: "full_test").map { both.format.prompt(for: $0) }
        #expect(prompts.count(where: { $0.hasPrefix("ARTICLE: ") }) == 10)
        #expect(prompts.count(where: { $0.hasPrefix("SUBREDDIT: ") }) == 23)
    }
}
