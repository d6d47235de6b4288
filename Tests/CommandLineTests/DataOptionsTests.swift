import ArgumentParser
import Data
import Foundation
import CommandLine
import Report
import Runs
import Study
import Testing

/// The data set that options name.
struct DataOptionsTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("Fixtures/corpora")

    private struct Command: ProgramCommand {
        @OptionGroup var data: DataOptions
    }

    private func options(_ arguments: String...) throws -> DataSettings {
        try Command.parse(normalising: arguments).data.settings
    }

    /// A folder of published sets, made of links.
    private func withSets<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sets-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, target) in [
            ("openai-tldr-filtered", "posts"), ("openai-tldr-summarisation-preferences", "comparisons"),
            ("cnn_dailymail", "news"),
            ("summarize_from_feedback", "comparisons"),
        ] {
            try FileManager.default.createSymbolicLink(
                at: folder.appendingPathComponent(name),
                withDestinationURL: Self.fixtures.appendingPathComponent(target))
        }
        return try body(folder.path)
    }

    @Test("no chat template is a choice of its own, not the absence of one")
    func noChatTemplate() throws {
        struct Command: ProgramCommand { @OptionGroup var data: DataOptions }
        #expect(try Command.parse(normalising: []).data.chatTemplate == nil)
        for arguments in [["--chat-template", "none"], ["--chat_template=None"], ["chat_template=none"]] {
            #expect(try Command.parse(normalising: arguments).data.chatTemplate == "none")
        }
        #expect(try Command.parse(normalising: ["--chat-template", "x.jinja"]).data.chatTemplate == "x.jinja")
    }

    @Test func theOriginalsNamesAreUnderstood() throws {
        try withSets { sets in
            var lines: [String] = []
            let plain = try options("dataset=summarisation", "--data_dir", sets).corpus { lines.append($0) }
            #expect(plain.splits.mapValues(\.count) == ["train": 60, "validation": 34, "test": 23])
            #expect(lines == ["openai-tldr-filtered: train: 60, validation: 34, test: 23"])
            let half = try options(
                "--dataset", "summarisation", "--data-dir", sets, "--dataset_random_subset", "50",
                "--reference_compatible")
            #expect(try half.corpus(["train"]).splits["train"]?.count == 30)
            #expect(try Set(half.corpus(["train"]).examples(in: "train").map(\.id)).count < 30)
            let sane = try options("--dataset", "summarisation", "--data-dir", sets, "--dataset-random-split", "50")
            #expect(try Set(sane.corpus(["train"]).examples(in: "train").map(\.id)).count == 30)
            let news = try options("--dataset", "cnndm", "--data-dir", sets).corpus(["test"])
            #expect(try news.examples(in: "test").count == 10 && news.splits.count == 1)
        }
    }

    @Test("an unknown split is refused with those that the set has, read or not")
    func unknownSplits() throws {
        try withSets { sets in
            let data = try options("dataset=summarisation", "--data_dir", sets)
            let corpus = try data.corpus(["nosuch"])
            let error = DataError.unknownSplit("nosuch", available: ["train", "validation", "test"])
            #expect(throws: error) { try data.present(["nosuch"], in: corpus) { _ in } }
            #expect(throws: error) { try corpus.examples(in: "nosuch") }
            let other = try options("dataset=summarisation", "--data_dir", sets, "--eval-dataset", "cnndm")
            let both = try other.corpus(["nosuch"])
            #expect(throws: DataError.self) { try both.examples(in: "nosuch") }
            #expect(both.unread == ["train", "validation", "test", "ood_train", "ood_validation", "ood_test"])
        }
    }

    @Test("wanted splits that are all missing are named one by one, with those that the set has and the option that chooses")
    func missingSplits() throws {
        let corpus = SummaryCorpus(name: "mine", splits: ["train": Self.rows, "validation": Self.rows])
        var notes: [String] = []
        let data = try options("--dataset", "generated")
        let error = #expect(throws: InvalidSetting.self) {
            try data.present(["test", "ood_test"], in: corpus) { notes.append($0) }
        }
        #expect(
            error?.message == "mine has no split test and no split ood_test; it has train, validation; name those to answer with "
                + "--evaluation-splits")
        #expect(notes.isEmpty)
        let present = try data.present(["test", "train", "ood_test"], in: corpus) { notes.append($0) }
        #expect(present == ["train"])
        #expect(notes == ["mine has no split test; it is skipped", "mine has no split ood_test; it is skipped"])
    }

    private static let rows = [SummaryExample(id: "1", subreddit: "a", title: "b", post: "c", summary: "d")]

    @Test("lengths of nothing are refused, and what leaves no room is said with the numbers that were given")
    func lengths() throws {
        for name in ["--max-source-length", "--max-target-length"] {
            for value in ["0", "-1"] {
                let error = #expect(throws: CommandLineError.self) { try options("\(name)=\(value)") }
                #expect(error?.description.contains("\(name) must be above 0") ?? false, "\(error as Any)")
            }
        }
        let corpus = SummaryCorpus(name: "c", splits: [:])
        func message(context: Int, newTokens: Int) throws -> String {
            let data = try options("--max-source-length=100")
            let error = #expect(throws: InvalidSetting.self) {
                try data.tokenisation(of: corpus, context: context, newTokens: newTokens)
            }
            return error?.description ?? ""
        }
        #expect(try message(context: 128, newTokens: 127).hasSuffix("beside 127 new tokens"))
        #expect(try message(context: 2, newTokens: 0).hasSuffix("beside a summary of 1 token"))
    }

    @Test func structuresDivideFilesAndBuiltInSets() throws {
        try withSets { sets in
            let tifu = try options(
                "--dataset", "summarisation", "--data-dir", sets, "--dataset_structured_subset", "tifu")
            let corpus = try tifu.corpus(["train", "ood_validation"])
            #expect(Set(corpus.splits.keys) == ["train", "ood_validation"])
            #expect(try corpus.examples(in: "train").allSatisfy { $0.subreddit == "tifu" })
            #expect(try corpus.examples(in: "ood_validation").allSatisfy { $0.subreddit != "tifu" })
            let sentiment = try options(
                "--dataset", "summarisation", "--data-dir", sets, "--dataset-structure", "sentiment",
                "--sentiment-index",
                Self.fixtures.appendingPathComponent("index").path)
            #expect(try sentiment.corpus(["train"]).examples(in: "train").count == 30)
        }
        let generated = try options("--dataset-structured-subset", "length:60").corpus()
        #expect(try generated.examples(in: "ood_train").allSatisfy { StructuredSubset.words(in: $0.post) > 60 })
        #expect(generated.availableSplits == SummaryCorpus.splitNames)
        #expect(throws: (any Error).self) { try options("--dataset-structured-subset", "sentiment").corpus() }
    }

    @Test func randomSubsetsWinOverStructuredOnes() throws {
        let posts = Self.fixtures.appendingPathComponent("posts").path
        let random = try options("--dataset", posts, "--dataset-random-subset", "10").corpus()
        let both = try options(
            "--dataset", posts, "--dataset-random-subset", "10", "--dataset-structured-subset", "tifu"
        ).corpus()
        #expect(both == random && both.splits["train"]?.count == 6 && both.splits["ood_train"] == nil)
    }

    @Test func emptySplitsEndARun() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("empty-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(
            at: Self.fixtures.appendingPathComponent("posts/train.jsonl"),
            to: folder.appendingPathComponent("train.jsonl"))
        try Foundation.Data().write(to: folder.appendingPathComponent("validation.jsonl"))
        let data = try options("--dataset", folder.path)
        #expect(try data.corpus(["train"]).splits.count == 1)
        #expect(throws: DataError.self) { try data.corpus(["train", "validation"]) }
        let misspelt = try options("--dataset", "sumarisation")
        do {
            _ = try misspelt.corpus()
            Issue.record("a set that does not exist was read")
        } catch {
            #expect("\(error)".contains("did you mean the data set summarisation?"))
            #expect("\(error)".contains("and no built-in set of that name (generated, instructions, "))
        }
        let path = #expect(throws: (any Error).self) { try options("--dataset", folder.path + "/none").corpus() }
        #expect("\(path as Any)".contains("there is no such folder") && !"\(path as Any)".contains("built-in"))
    }

    @Test("the default data set is named in a note, and a set that is given is not")
    func defaultDataset() throws {
        let note = "no --dataset is given: using the built-in set generated"
        var lines: [String] = []
        _ = try options().corpus(["validation"]) { lines.append($0) }
        #expect(lines.count { $0 == note } == 1)
        _ = try options("--dataset", "generated").corpus(["validation"]) { lines.append($0) }
        #expect(lines.count { $0 == note } == 1)
    }

    /// A tokenizer whose ids are the text's scalars.
    private struct Scalars: Tokenizer {
        var vocabularySize: Int { 128 }
        var beginOfSequence: Int32? { nil }
        var endOfSequence: Int32? { 0 }
        var padding: Int32? { nil }
        var unknown: Int32? { nil }
        func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] { text.unicodeScalars.map { Int32($0.value) } }
        func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
            String(String.UnicodeScalarView(ids.compactMap { Unicode.Scalar(UInt32($0)) }))
        }
        func save(to folder: URL) throws {}
    }

    @Test func theOriginalsEvaluationsKnowWhatIsLeftOfPrompts() throws {
        let example = SummaryExample(id: "a", subreddit: "s", title: "t", post: "p", summary: "y")
        let query = PromptFormat.tldr.prompt(for: example)
        func prompt(_ data: DataSettings, room: Int, _ truncation: SFTTokenisation.Truncation) throws -> TokenisedPrompt {
            let tokenisation = SFTTokenisation(maximumSource: 10, maximumTarget: 60, truncation: truncation)
            return try #require(try data.evaluationPrompts([example], tokenisation, room: room, with: Scalars()).first)
        }
        let sane = try options()
        let plain = try prompt(sane, room: 100, .apart)
        #expect(plain.tokens.count == 10 && plain.query == query && plain.isTruncated)
        #expect(try prompt(sane, room: 6, .apart).tokens.count == 6)
        let reference = try options("--reference-compatible")
        #expect(try prompt(reference, room: 100, .wholeText).tokens.count == query.unicodeScalars.count)
        #expect(try prompt(reference, room: 100, .wholeText).query == query)
        #expect(try prompt(reference, room: 6, .wholeText).query == "TL;DR:")
    }

    @Test func promptsHaveTheirWholeLimitWhereTheContextHasRoom() throws {
        let corpus = SummaryCorpus(name: "none", splits: [:])
        let cases: [([String], Int, Int, Int)] = [
            ([], 0, 2048, 1024), ([], 49, 2048, 1024), ([], 0, 512, 255), ([], 49, 512, 255), ([], 0, 4096, 1024),
            (["--reference-compatible"], 0, 2048, 1023), (["--reference-compatible"], 49, 2048, 1024),
            (["--sft-truncation", "whole-text"], 0, 2049, 1024),
        ]
        for (extra, newTokens, context, limit) in cases {
            let data = try Command.parse(normalising: extra).data.settings
            let tokenisation = try data.tokenisation(of: corpus, context: context, newTokens: newTokens)
            #expect(tokenisation.maximumSource == limit, "\(extra) \(newTokens) \(context)")
            #expect(tokenisation.maximumTarget == min(1024, context / 2))
        }
    }

    @Test func theOriginalEvaluatesWholeBatches() throws {
        try withSets { sets in
            let arguments = ["--dataset", "summarisation", "--data-dir", sets, "--target-eval-datapoints", "10"]
            for (extra, expected) in [([String](), 10), (["--reference-compatible"], 12)] {
                let data = try Command.parse(normalising: arguments + extra).data.settings
                let corpus = try data.corpus(["test"])
                #expect(try data.evaluationExamples(of: corpus, split: "test", batch: 4).count == expected)
                #expect(try data.evaluationExamples(of: corpus, split: "test", batch: 5).count == 10)
                #expect(try data.evaluationExamples(of: corpus, split: "test", count: .max).count == 23)
                #expect(data.evaluatedCount(3, batch: 8) == (extra.isEmpty ? 3 : 8))
            }
        }
    }

    @Test func evaluationSetsStandBesideOrInPlaceOfTheOwnSplits() throws {
        try withSets { sets in
            let arguments = ["--dataset", "summarisation", "--data-dir", sets, "--eval-dataset", "cnndm"]
            let beside = try Command.parse(normalising: arguments).data.settings
            let corpus = try beside.corpus(["test", "ood_test"])
            #expect(try beside.evaluationExamples(of: corpus, split: "test").count == 23)
            #expect(
                try beside.evaluationExamples(of: corpus, split: "ood_test").allSatisfy {
                    $0.promptFormat == .cnnDailyMail
                })
            let inPlace = try Command.parse(normalising: arguments + ["--reference-compatible"]).data.settings
            let other = try inPlace.corpus(["train", "test"])
            #expect(try inPlace.evaluationExamples(of: other, split: "test").count == 10)
            #expect(try inPlace.trainingExamples(of: other).count == 60)
        }
        #expect(throws: (any Error).self) {
            try options("--eval-dataset", "cnndm", "--dataset-structured-subset", "tifu")
        }
    }

    @Test func comparisonsComeFromTheirSetsOrNot() throws {
        try withSets { sets in
            let wanted = ["train", "validation", "ood_validation"]
            let tldr = try options("--dataset", "summarisation", "--data-dir", sets, "--eval-dataset", "cnndm")
            let splits = try #require(try tldr.comparisons(in: nil, wanted))
            #expect(try splits.rows(of: "train").allSatisfy { $0.promptFormat == nil })
            #expect(try splits.rows(of: "train").count == 8 && splits.rows(of: "validation").count == 8)
            #expect(
                try splits.rows(of: "ood_validation").map(\.promptFormat) == Array(repeating: .cnnDailyMail, count: 4))
            let folder = try options().comparisons(
                in: Self.fixtures.appendingPathComponent("comparisons").path, ["train"])
            #expect(try #require(folder).rows(of: "train").count == 12)
            let named = try options(
                "--dataset", Self.fixtures.appendingPathComponent("comparisons").path, "--comparisons-batch", "cnndm")
            #expect(try #require(try named.comparisons(in: nil, ["train"])).rows(of: "train").count == 4)
            // posts and built-in sets have none
            #expect(
                try options("--dataset", Self.fixtures.appendingPathComponent("posts").path).comparisons(
                    in: nil, wanted) == nil)
            #expect(try options().comparisons(in: nil, wanted) == nil)
        }
    }

    @Test func filesOneByOneTakeThePlaceOfTheFolders() throws {
        let train = Self.fixtures.appendingPathComponent("posts-gz/test.jsonl.gz").path
        let alone = try options("--train-file", train).corpus()
        #expect(alone.splits.mapValues(\.count) == ["train": 23])
        let mixed = try options("--dataset", Self.fixtures.appendingPathComponent("posts").path, "--train-file", train)
            .corpus()
        #expect(mixed.splits.mapValues(\.count) == ["train": 23, "validation": 34, "test": 23])
        let cut = try options("--train-file", train, "--max-train-samples", "5").corpus(["train"])
        #expect(cut.splits["train"]?.count == 5 && cut.sizes["train"] == 23)
    }

    @Test func splitsThatASetLacksAreLeftOut() throws {
        let posts = try options("--dataset", Self.fixtures.appendingPathComponent("posts").path)
        let corpus = try posts.corpus(["test", "ood_test"])
        var notes: [String] = []
        #expect(try posts.present(["test", "ood_test"], in: corpus) { notes.append($0) } == ["test"])
        #expect(notes.count == 1 && notes[0].contains("ood_test"))
        #expect(throws: InvalidSetting.self) { try posts.present(["ood_test"], in: corpus) { _ in } }
        #expect(throws: DataError.self) { try posts.present(["tset"], in: corpus) { _ in } }
    }

    @Test func oneSwitchAndItsParts() throws {
        #expect(try options().compatibility == .sane)
        #expect(try options("reference_compatible=true").compatibility == .reference)
        var mixed = ReferenceCompatibility.reference
        mixed.truncation = .apart
        mixed.rewardText = .canonical
        #expect(
            try options("--reference-compatible", "--sft-truncation", "apart", "--reward_text=canonical").compatibility
                == mixed)
        #expect(try options("--random-subset-drawing", "with_replacement").compatibility.drawing == .withReplacement)
        for bad in [
            ["--sft-truncation", "both"], ["--on-bad-row", "ignore"], ["--dataset-random-subset", "0"],
            ["--reward-text", "none,x"],
        ] {
            #expect(throws: (any Error).self) { try Command.parse(normalising: bad) }
        }
    }
}
