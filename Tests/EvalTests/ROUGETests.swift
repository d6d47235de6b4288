import Eval
import Testing
import _TestSupport

/// What the fixture's generator writes about one pair.
struct ScoredPair: Decodable {
    var hypothesis: String
    var reference: String
    var original: [Double]
    var standard: [Double]
    var stemmed: [Double]
    var exact: Double
    var bleu: [String: Double]
}

struct PairFixture: Decodable {
    var pairs: [ScoredPair]
    var twoReferences: [Double]
    var corpus: [String: CorpusScore]
    var stems: [String: String]

    struct CorpusScore: Decodable {
        var score: Double
        var precisions: [Double]
        var penalty: Double
        var hypothesisLength: Int
        var referenceLength: Int
        var twoReferences: Double
    }

    static func load() throws -> PairFixture {
        try Fixtures.json(PairFixture.self, from: "eval/pairs.json")
    }
}

@Suite struct ROUGETests {
    private func numbers(_ scores: [ROUGE.Score]) -> [Double] {
        scores.flatMap { [$0.precision, $0.recall, $0.f] }
    }

    private func expectClose(_ actual: [Double], _ expected: [Double], _ pair: ScoredPair) {
        #expect(actual.count == expected.count)
        for (i, (a, e)) in zip(actual, expected).enumerated() where !isClose(a, e) {
            Issue.record(
                "number \(i): \(a), expected \(e), for \(pair.hypothesis.debugDescription) against \(pair.reference.debugDescription)"
            )
        }
    }

    @Test func originalFormEqualsThePackage() throws {
        let pairs = try PairFixture.load().pairs
        #expect(pairs.count >= 60)
        for pair in pairs {
            let scores = ROUGE.original(pair.hypothesis, reference: pair.reference)
            expectClose(numbers([scores.rouge1, scores.rouge2, scores.rougeL]), pair.original, pair)
        }
    }

    @Test func standardFormEqualsThePackage() throws {
        for pair in try PairFixture.load().pairs {
            let scores = ROUGE.Standard().score(pair.hypothesis, reference: pair.reference)
            expectClose(
                numbers([scores.rouge1, scores.rouge2, scores.rougeL, scores.rougeLsum]), pair.standard, pair)
        }
    }

    @Test func stemmedFormEqualsThePackage() throws {
        for pair in try PairFixture.load().pairs {
            let scores = ROUGE.Standard(stems: true).score(pair.hypothesis, reference: pair.reference)
            expectClose(numbers([scores.rouge1, scores.rouge2, scores.rougeL, scores.rougeLsum]), pair.stemmed, pair)
        }
    }

    @Test func stemsEqualNLTK() throws {
        let stems = try PairFixture.load().stems
        #expect(stems.count > 300)
        for (word, stem) in stems { #expect(PorterStemmer.stem(word) == stem, "\(word)") }
    }

    @Test func bestReferenceCountsForEachKindOfScore() {
        let scores = ROUGE.Standard().score("a b c", references: ["x", "c b a", "a x c y"])
        #expect(scores.rouge1.f == 1)
        #expect(isClose(scores.rougeL.f, 4.0 / 7))
        #expect(ROUGE.Standard().score("a", references: []) == .zero)
    }

    @Test func bitParallelLengthEqualsTheTable() {
        var random = SplitMix64(seed: 11)
        for length in [1, 2, 7, 63, 64, 65, 128, 130, 200] {
            for kinds in [1, 2, 5, 40] {
                let first = (0..<length).map { _ in Int32(random.index(below: kinds)) }
                let second = (0..<(random.index(below: 150))).map { _ in Int32(random.index(below: kinds)) }
                let expected = Int(LongestCommonSubsequence.table(first, second).last ?? 0)
                #expect(LongestCommonSubsequence.length(first, second) == expected)
                #expect(LongestCommonSubsequence.indices(first, second, onTie: .first).count == expected)
                #expect(LongestCommonSubsequence.indices(first, second, onTie: .second).count == expected)
            }
        }
    }

    @Test func matcherForgetsWhatItHadLoaded() {
        var matcher = LCSMatcher(vocabularySize: 10)
        matcher.load(Array(repeating: [1, 2, 3], count: 40).flatMap { $0 })
        #expect(matcher.length(with: [1, 3, 2]) == 3)
        matcher.load([4, 5])
        #expect(matcher.length(with: [1, 2, 3, 4]) == 1)
        matcher.load([6])
        #expect(matcher.length(with: [4, 5]) == 0)
    }
}
