import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Sets of the published shapes in every format, written by pandas and Python's own modules.
struct PublishedReaderTests {
    @Test(arguments: ["posts", "posts-gz"])
    func postsAreTheSameInEveryFormat(folder: String) throws {
        let expected = try CorporaFixture.load()
        let (corpus, counts) = try SummaryCorpus.load(CorporaFixture.url(folder), wanted: nil)
        #expect(Set(corpus.splits.keys) == ["train", "validation", "test"])
        #expect(counts.read == 117 && counts.skipped == 0)
        #expect(corpus.counts == "train: 60\nvalidation: 34\ntest: 23")
        for (split, posts) in expected.posts {
            let examples = try corpus.examples(in: split)
            #expect(examples.count == posts.count)
            for (example, post) in zip(examples, posts) {
                #expect(example.id == post.id && example.subreddit == post.subreddit)
                // by code points: é has two spellings in the fixture
                for (got, wanted) in [
                    (example.title, post.title), (example.post, post.post), (example.summary, post.summary),
                ] {
                    #expect(Array(got.unicodeScalars) == Array(wanted.unicodeScalars), "\(split) \(post.id)")
                }
            }
            #expect(
                examples.map { Array(corpus.format.prompt(for: $0).utf8) }
                    == expected.prompts[split]?.map { Array($0.utf8) })
        }
    }

    @Test func newsHaveTheirOwnPrompt() throws {
        let expected = try CorporaFixture.load()
        let corpus = try SummaryCorpus.load(CorporaFixture.url("news"))
        for (split, articles) in expected.news {
            let examples = try corpus.examples(in: split)
            #expect(examples.map(\.id) == articles.map(\.id))
            #expect(examples.map(\.post) == articles.map(\.article))
            #expect(examples.map(\.summary) == articles.map(\.highlights))
            #expect(examples.allSatisfy { $0.subreddit.isEmpty && $0.title.isEmpty })
            // whatever the corpus's own format is
            #expect(examples.map { PromptFormat.tldr.prompt(for: $0) } == expected.news_prompts[split])
        }
    }

    @Test func comparisonsAreTheSameInEveryShape() throws {
        let expected = try CorporaFixture.load()
        let reader = CorpusReader<Comparison>(try SplitFiles(in: CorporaFixture.url("comparisons")))
        let read = try reader.read()
        #expect(Set(read.rows.keys) == Set(expected.comparisons.keys))
        for (split, pairs) in expected.comparisons {
            let rows = read.rows[split] ?? []
            #expect(rows.map(\.id) == pairs.map(\.id), "\(split)")
            #expect(rows.map { PromptFormat.tldr.prompt(for: $0) } == pairs.map(\.prompt), "\(split)")
            #expect(rows.map(\.summaries) == pairs.map(\.summaries), "\(split)")
            #expect(rows.map(\.choice) == pairs.map(\.choice), "\(split)")
            #expect(rows.map { $0.promptFormat == .cnnDailyMail } == pairs.map(\.is_news), "\(split)")
        }
    }

    @Test func batchesGoBothWays() throws {
        let expected = try #require(CorporaFixture.load().comparisons["train"])
        let files = SplitFiles(["train": CorporaFixture.url("comparisons/train.jsonl")])
        func ids(_ name: String) throws -> [Bool] {
            let filter = BatchFilter(name: name)
            let reader = CorpusReader<Comparison>(files, accepts: { filter.accepts($0) })
            let read = try reader.read()
            #expect(read.sizes["train"] == read.rows["train"]?.count)
            return (read.rows["train"] ?? []).map { $0.promptFormat == .cnnDailyMail }
        }
        let news = expected.count(where: \.is_news)
        #expect(try ids("cnndm") == Array(repeating: true, count: news))
        #expect(try ids("!cnndm") == Array(repeating: false, count: expected.count - news))
        #expect(try ids("any") == expected.map(\.is_news))
        let without = Comparison(id: "a", subreddit: "", title: "", post: "", summaries: ["", ""], choice: 0)
        #expect(!BatchFilter(name: "cnndm").accepts(without) && BatchFilter(name: "!cnndm").accepts(without))
    }

    @Test func comparisonsOfNewsComeBackFromDisk() throws {
        let read = try CorpusReader<Comparison>(try SplitFiles(in: CorporaFixture.url("comparisons"))).read(["train"])
        let rows = try #require(read.rows["train"])
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("train.jsonl")
            try JSONLines(file).write(rows)
            #expect(try RowFile<Comparison>(file).read() == rows)
            #expect(try JSONLines<Comparison>(file).read() == rows)
        }
    }

    @Test func promptsMayLackTheirSummary() throws {
        try withTemporaryFolder { folder in
            _ = try folder.adding("train.jsonl", #"{"id": "a", "subreddit": "s", "title": "t", "post": "p"}"# + "\n")
            guard case .badRow(_, .missingField("summary")) = formatError({ _ = try SummaryCorpus.load(folder) }) else {
                Issue.record("a row without a summary was read")
                return
            }
            let (corpus, _) = try SummaryCorpus.load(folder, wanted: nil, mayLack: ["summary"])
            #expect(try corpus.examples(in: "train").map(\.summary) == [""])
        }
    }

    @Test func limitsKeepTheFirstRowsAndCountAll() throws {
        let whole = try SummaryCorpus.load(CorporaFixture.url("posts"))
        let (some, counts) = try SummaryCorpus.load(
            CorporaFixture.url("posts"), wanted: ["train", "test"], limit: { $0 == "train" ? 7 : nil })
        #expect(some.splits["train"] == Array(try whole.examples(in: "train").prefix(7)))
        #expect(some.splits["test"] == whole.splits["test"])
        #expect(some.splits["validation"] == nil && counts.read == 83)
        #expect(some.counts == "train: 60\ntest: 23")
    }

    @Test func filesAreFoundOrNamed() throws {
        try withTemporaryFolder { folder in
            for name in ["train.jsonl", "valid.csv.gz", "test.json", "ood_val.ndjson", "trainer.jsonl", "README.md"] {
                _ = try folder.adding(name, "")
            }
            let files = try SplitFiles(in: folder).files.mapValues(\.lastPathComponent)
            #expect(
                files == [
                    "train": "train.jsonl", "validation": "valid.csv.gz", "test": "test.json",
                    "ood_validation": "ood_val.ndjson",
                ])
            _ = try folder.adding("validation.jsonl", "")
            #expect(
                dataError { _ = try SplitFiles(in: folder) }
                    == .ambiguousSplit("validation", files: ["valid.csv.gz", "validation.jsonl"]))
            let missing = folder.appendingPathComponent("none")
            #expect(
                formatError { _ = try SplitFiles(in: missing) }
                    == .unreadable(path: missing.path, reason: "the folder does not exist"))
            guard case .unreadable = formatError({ _ = try SplitFiles(in: folder.appendingPathComponent("test.json")) })
            else {
                Issue.record("a file was taken for a folder")
                return
            }
            guard
                case .missingSplit("ood_test", _, _) = dataError({
                    _ = try SplitFiles(["test": folder]).file(of: "ood_test")
                })
            else {
                Issue.record("a missing file was given out")
                return
            }
            let text = folder.appendingPathComponent("README.md")
            #expect(
                formatError { _ = try RowFormat.of(text) }
                    == .unreadable(
                        path: text.path,
                        reason: "unknown file extension; expected .jsonl, .json or .csv, optionally followed by .gz"))
        }
    }

    @Test func publishedSetsSayWhatIsMissing() throws {
        try withTemporaryFolder { folder in
            guard case .unreadable(let path, let reason) = formatError({ _ = try PublishedSet.posts.folder(in: folder) })
            else {
                Issue.record("a missing folder was given out")
                return
            }
            #expect(path.hasSuffix("openai-tldr-filtered") && reason.contains("Docs/data.md"))
        }
    }
}
