import Data
import Foundation
import Testing
import _TestSupport

struct SummaryCorpusTests {
    private let corpus = SummaryCorpus(
        name: "small",
        splits: [
            "train": [example("a"), example("b")], "test": [example("c")], "ood_test": [example("d")], "validation": [],
        ], format: .cnnDailyMail)

    @Test func writesAndReadsAFolder() throws {
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("corpus")
            try corpus.write(to: folder)
            #expect(try SummaryCorpus.load(folder) == corpus)
            // Written again, over itself.
            var smaller = corpus
            smaller.splits["ood_test"] = nil
            try smaller.write(to: folder)
            #expect(try SummaryCorpus.load(folder) == smaller)
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent.path) == ["corpus"])
        }
    }

    @Test func foreignFoldersAreLeftAlone() throws {
        try withTemporaryFolder { parent in
            _ = try parent.adding("precious.txt", "x")
            guard case .unwritable = dataError({ try corpus.write(to: parent) }) else {
                Issue.record("a folder of something else was replaced")
                return
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent.path) == ["precious.txt"])
            guard case .missingSplit = dataError({ _ = try SummaryCorpus.load(parent) }) else {
                Issue.record("a folder without splits was read")
                return
            }
        }
    }

    @Test func splitsAreFoundOrNamed() throws {
        #expect(try corpus.examples(in: "full_test").map(\.id) == ["c", "d"])
        #expect(corpus.availableSplits == ["train", "test", "ood_test", "full_test"])
        #expect(
            dataError { _ = try corpus.examples(in: "full_train") }
                == .unknownSplit("full_train", available: ["train", "validation", "test", "ood_test"]))
        guard case .emptySplit("validation", _) = dataError({ _ = try corpus.examples(in: "validation") }) else {
            Issue.record("an empty split was given out")
            return
        }
        #expect(corpus.counts == "train: 2\nvalidation: 0\ntest: 1\nood_test: 1")
    }
}
