import Data
import Testing

struct GeneratedPostsTests {
    private static let corpus = Result { try GeneratedPosts(train: 6000).corpus() }

    @Test func isLargeVariedAndDistinct() throws {
        let corpus = try Self.corpus.get()
        let train = try corpus.examples(in: "train")
        #expect(train.count == 6000)
        #expect(Set(train.map(\.subreddit)).count >= 20)
        let all = corpus.splits.values.flatMap { $0 }
        #expect(Set(all.map(\.post)).count == all.count)
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(Set(train.map(\.summary)).count > 5500)
    }

    @Test func textsAreClean() throws {
        for example in try Self.corpus.get().splits.values.flatMap({ $0 }) {
            for text in [example.title, example.post, example.summary] {
                #expect(!text.isEmpty && !text.contains { "{}[]|\n".contains($0) } && !text.contains("  "))
                #expect(text.first?.isLowercase == false && text.last?.isWhitespace == false)
            }
            #expect(![" .", " ,", " ?", ",."].contains { (example.post + example.summary).contains($0) })
        }
    }

    @Test func promptsHaveTheIntendedLength() throws {
        let corpus = try Self.corpus.get()
        func words(_ split: String) throws -> [Int] {
            try corpus.examples(in: split).map {
                PromptFormat.tldr.prompt(for: $0).split { $0 == " " || $0 == "\n" }.count
            }
        }
        let inside = try words("train").sorted()
        #expect(inside[inside.count / 20] >= 40 && inside[inside.count * 19 / 20] <= 120)
        let outside = try words("ood_test").sorted()
        #expect(outside[outside.count / 2] > inside[inside.count * 9 / 10])
    }

    @Test func unfamiliarTopicsHaveTheirOwnWords() throws {
        let corpus = try Self.corpus.get()
        func vocabulary(_ split: String) throws -> Set<Substring> {
            Set(try corpus.examples(in: split).flatMap { ($0.post + " " + $0.summary).split { !$0.isLetter } })
        }
        let known = try vocabulary("train")
        let unseen = try vocabulary("ood_test").subtracting(known)
        #expect(unseen.count > 300)
        #expect(Set(GeneratedPosts.topics).isDisjoint(with: GeneratedPosts.outOfDistributionTopics))
        #expect(try vocabulary("test").subtracting(known).count < 5)
    }

    /// Most words of a summary stand in its own post, far fewer in another post of the same topic.
    @Test func summariesDependOnTheirPosts() throws {
        let train = try Self.corpus.get().examples(in: "train")
        func words(_ text: String) -> Set<String> {
            Set(text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        }
        var own = 0.0
        var other = 0.0
        var pairs = 0.0
        for (first, second) in zip(train, train.dropFirst()) {
            guard let partner = first.subreddit == second.subreddit ? second : nil else { continue }
            let summary = words(first.summary)
            own += Double(summary.intersection(words(first.post + " " + first.title)).count) / Double(summary.count)
            other += Double(summary.intersection(words(partner.post)).count) / Double(summary.count)
            pairs += 1
        }
        #expect(pairs > 100)
        #expect(own / pairs > 0.85, "own \(own / pairs)")
        #expect(other / pairs < 0.55, "other \(other / pairs)")
    }

    @Test func sameSeedSameCorpusAndSplitsAreIndependent() throws {
        let small = try GeneratedPosts(
            seed: 5, train: 50, validation: 10, test: 10, oodTrain: 0, oodValidation: 10, oodTest: 10
        ).corpus()
        let again = try GeneratedPosts(
            seed: 5, train: 80, validation: 10, test: 10, oodTrain: 0, oodValidation: 10, oodTest: 10
        ).corpus()
        let other = try GeneratedPosts(
            seed: 6, train: 50, validation: 10, test: 10, oodTrain: 0, oodValidation: 10, oodTest: 10
        ).corpus()
        #expect(try Array(again.examples(in: "train")[..<50]) == small.examples(in: "train"))
        #expect(try again.examples(in: "test") == small.examples(in: "test"))
        #expect(try other.examples(in: "train") != small.examples(in: "train"))
        #expect(small.splits["ood_train"] == nil)
        #expect(dataError { _ = try GeneratedPosts(train: -1).corpus() } != nil)
    }
}
