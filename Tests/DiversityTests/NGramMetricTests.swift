import Diversity
import Foundation
import Testing
import _TestSupport

/// What the fixture's generator writes about one set of texts.
struct MeasuredSet: Decodable {
    var texts: [String]
    var distinct: [Double]
    var ead: [Double]
    var ead100: Double
    var cosine: [Double]
    var vendi: [String: Double]
    var selfBLEU: Double
    var rougeL: Double
    var selfRepetition: Double
    var compression: Double?
    var embeddings: [[Float]]
    var embeddingDiversity: Double
    var embeddingVendi: Double
}

struct SetFixture: Decodable {
    var sets: [MeasuredSet]
    var bestOfN: BestOfN
    var statistics: Statistics

    struct BestOfN: Decodable {
        var rewards: [Double]
        var curve: [Double]
    }
    struct Statistics: Decodable {
        var student: [String: Double]
    }

    static func load() throws -> SetFixture {
        try Fixtures.json(SetFixture.self, from: "diversity/sets.json")
    }
}

@Suite struct NGramMetricTests {
    @Test func metricsEqualTheirRecomputation() throws {
        let sets = try SetFixture.load().sets
        #expect(sets.count >= 30)
        for (s, set) in sets.enumerated() {
            for order in 1...5 {
                let distinct = try #require(DistinctNGrams.value(of: set.texts, order: order))
                let ead = try #require(ExpectationAdjusted.value(of: set.texts, order: order))
                #expect(isClose(distinct, set.distinct[order - 1]), "set \(s), distinct-\(order)")
                #expect(isClose(ead, set.ead[order - 1]), "set \(s), EAD-\(order)")
            }
            let small = try #require(ExpectationAdjusted.value(of: set.texts, order: 1, vocabularySize: 100))
            #expect(isClose(small, set.ead100), "set \(s)")
            #expect(isClose(try #require(NGramCosine.diversity(of: set.texts, order: 1)), set.cosine[0]), "set \(s)")
            #expect(isClose(try #require(NGramCosine.diversity(of: set.texts, order: 3)), set.cosine[1]), "set \(s)")
        }
    }

    @Test func embeddingDiversityEqualsItsRecomputation() throws {
        for set in try SetFixture.load().sets where !set.embeddings.isEmpty {
            let value = try #require(PairwiseSimilarity.diversity(ofEmbeddings: set.embeddings))
            #expect(isClose(value, set.embeddingDiversity))
        }
    }

    /// The vectors of the reference behaviour: distinct n-grams, EAD and cosine of two small sets.
    @Test func publishedVectors() throws {
        let first = ["i am going", "i am going", "lets go i i"]
        let distinct = try (1...5).map { try #require(DistinctNGrams.value(of: first, order: $0)) }
        for (a, e) in zip(distinct, [0.5, 0.7142857, 0.75, 1, 0]) { #expect(isClose(a, e, 1e-7)) }
        #expect(isClose(try #require(DistinctNGrams.averaged(of: first)), 0.5928571, 1e-7))
        #expect(isClose(try #require(ExpectationAdjusted.averaged(of: first)), 0.5928791, 1e-7))
        #expect(isClose(try #require(NGramCosine.diversity(of: first)), 0.6666667, 1e-7))
        let second = ["apples", "bananas", "oranges"].map { "I like to eat \($0)." }
        #expect(isClose(try #require(DistinctNGrams.averaged(of: second)), 0.6377778, 1e-7))
        #expect(isClose(try #require(ExpectationAdjusted.averaged(of: second)), 0.6378212, 1e-7))
        #expect(isClose(try #require(NGramCosine.diversity(of: second)), 0.3333333, 1e-7))
    }

    @Test func fewerThanTwoTextsHaveNoValue() {
        for texts in [[], ["one text"]] {
            #expect(DistinctNGrams.averaged(of: texts) == nil)
            #expect(ExpectationAdjusted.averaged(of: texts) == nil)
            #expect(NGramCosine.diversity(of: texts) == nil)
        }
        #expect(PairwiseSimilarity.diversity(ofEmbeddings: [[1, 2]]) == nil)
        #expect(PairwiseSimilarity.diversity(count: 1) { _, _ in 1 } == nil)
        #expect(NGramCosine.diversity(of: ["", ""]) == 1)
        #expect(DistinctNGrams.averaged(of: ["", "."]) == 0)
    }

    @Test func expectationAdjustedTendsToOneForLongRandomText() throws {
        var random = Draws(seed: 5)
        let texts = (0..<20).map { _ in
            (0..<5000).map { _ in "w\(Int.random(in: 0..<400, using: &random))" }.joined(separator: " ")
        }
        let adjusted = try #require(ExpectationAdjusted.value(of: texts, order: 1, vocabularySize: 400))
        #expect(abs(adjusted - 1) < 1e-9)
        #expect(try #require(DistinctNGrams.value(of: texts, order: 1)) < 0.01)
        let short = try #require(
            ExpectationAdjusted.value(
                of: Array(texts.prefix(2)).map { String($0.prefix(3000)) }, order: 1, vocabularySize: 400))
        #expect(abs(short - 1) < 0.05)
        #expect(isClose(ExpectationAdjusted.ratio(unique: 3, total: 3, vocabularySize: 1), 3))
    }

    @Test func tokenisations() {
        let text = "Don\u{2019}t stop.\nGo  NOW, caf\u{E9} 3.5!"
        #expect(NGramTokenisation.reference.words(of: text) == ["Don\u{2019}t", "stopGo", "NOW,", "caf\u{E9}", "35!"])
        #expect(
            NGramTokenisation(newlineSeparates: true).words(of: text)
                == ["Don\u{2019}t", "stop", "Go", "NOW,", "caf\u{E9}", "35!"])
        #expect(NGramTokenisation.words.words(of: text) == ["don't", "stop", "go", "now", "caf\u{E9}", "3", "5"])
        #expect(NGramTokenisation.whitespace.words(of: "a.\tb\u{A0}c") == ["a.", "b", "c"])
        #expect(NGramTokenisation(lowercases: true).words(of: "A B\nC") == ["a", "bc"])
        #expect(NGramTokenisation.reference.words(of: "a\u{A0}b\tc") == ["a\u{A0}b\tc"])
    }

    @Test func indexEqualsBruteForce() {
        var random = Draws(seed: 9)
        for _ in 0..<30 {
            let texts = (0..<Int.random(in: 2...12, using: &random)).map { _ in
                (0..<Int.random(in: 0...30, using: &random)).map { _ in "w\(Int.random(in: 0..<6, using: &random))" }
                    .joined(separator: " ")
            }
            var index = NGramIndex(texts, maximumOrder: 7, tokenisation: .reference)
            for order in 1...7 {
                let set = (0..<texts.count).filter { _ in Bool.random(using: &random) }
                let all = set.flatMap { text -> [[String]] in
                    let words = NGramTokenisation.reference.words(of: texts[text])
                    guard words.count >= order else { return [] }
                    return (0...(words.count - order)).map { Array(words[$0..<$0 + order]) }
                }
                let count = index.count(set, order: order)
                #expect(count.unique == Set(all).count && count.total == all.count)
            }
        }
    }
}

/// A seeded generator for tests.
struct Draws: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
