import Diversity
import Eval
import Foundation
import Testing
import _TestSupport

@Suite struct RepetitionMetricTests {
    @Test func vendiScoresEqualThePackage() throws {
        for (s, set) in try SetFixture.load().sets.enumerated() {
            for (order, expected) in set.vendi {
                let q = try #require(Double(order))
                let value = try #require(try VendiScore.score(of: set.texts, order: q))
                // below order 1 the package takes rounding for small eigenvalues
                let tolerance = q < 1 ? 1e-7 : 1e-9
                #expect(isClose(value, expected, tolerance), "set \(s), order \(order): \(value), expected \(expected)")
            }
            guard !set.embeddings.isEmpty else { continue }
            let value = try #require(try VendiScore.score(ofEmbeddings: set.embeddings))
            #expect(isClose(value, set.embeddingVendi, 1e-5), "set \(s)")
        }
    }

    @Test func vendiScoreCountsWhatIsDifferent() throws {
        for order in [0.0, 0.5, 1, 2, .infinity] {
            let copies = try #require(try VendiScore.score(of: Array(repeating: "a b", count: 5), order: order))
            #expect(isClose(copies, 1), "order \(order)")
            let apart = try #require(try VendiScore.score(of: ["a", "b", "c", ""], order: order))
            #expect(isClose(apart, 4), "order \(order)")
        }
        // Copies leave eigenvalues of 0, whose rounding must not count, however small the order.
        let sentences = ["one of three sentences that differ in words", "another", "its words go on and on, as words do"]
        let twelve = Array(repeating: sentences, count: 4).flatMap { $0 }
        for order in [0.0, 0.1, 0.5, 1, 3] {
            let three = try #require(try VendiScore.score(of: sentences, order: order))
            #expect(isClose(try #require(try VendiScore.score(of: twelve, order: order)), three), "order \(order)")
            let vectors = (0..<3).map { i in (0..<40).map { sin(Float($0 * (i + 1))) } }
            let spread = try #require(try VendiScore.score(ofEmbeddings: vectors, order: order))
            for copies in [2, 30] {
                let many = Array(repeating: vectors, count: copies).flatMap { $0 }
                let score = try #require(try VendiScore.score(ofEmbeddings: many, order: order))
                #expect(isClose(score, spread), "order \(order), \(copies) copies")
            }
        }
        let wide = try #require(try VendiScore.score(ofEmbeddings: [[1, 0], [0, 2], [3, 0], [0, 4], [0, 0]]))
        #expect(isClose(wide, exp(-(2 * 0.4 * log(0.4) + 0.2 * log(0.2))), 1e-6))
        #expect(isClose(try #require(try VendiScore.score(ofEmbeddings: [[0, 0], [0, 0]])), 2))
        #expect(try VendiScore.score(of: ["a"]) == nil)
        #expect(try VendiScore.score(ofEmbeddings: [[1]]) == nil)
        #expect(throws: DiversityError.eigenvaluesFailed(order: 2)) {
            try VendiScore.score(kernel: [1, .nan, .nan, 1], count: 2)
        }
    }

    @Test func selfBLEUEqualsEachTextAgainstTheOthers() throws {
        for (s, set) in try SetFixture.load().sets.enumerated() {
            let value = try #require(SelfBLEU.value(of: set.texts))
            #expect(isClose(value, set.selfBLEU), "set \(s): \(value), expected \(set.selfBLEU)")
        }
        #expect(SelfBLEU.value(of: ["a"]) == nil)
    }

    @Test func homogenisationEqualsThePackage() throws {
        for (s, set) in try SetFixture.load().sets.enumerated() {
            #expect(isClose(try #require(Homogenisation.value(of: set.texts)), set.rougeL), "set \(s)")
        }
        #expect(Homogenisation.value(of: ["running fast", "runs fast"], stems: true) == 1)
        #expect(Homogenisation.value(of: ["running fast", "runs fast"]) == 0.5)
        let long = Array(repeating: "one two three", count: 50).joined(separator: " ")
        #expect(Homogenisation.value(of: [long, "one", long]).map { isClose($0, (2.0 / 151 * 2 + 1) / 3) } == true)
    }

    @Test func selfRepetitionEqualsItsRecomputation() throws {
        for (s, set) in try SetFixture.load().sets.enumerated() {
            #expect(isClose(try #require(SelfRepetition.value(of: set.texts)), set.selfRepetition), "set \(s)")
        }
        let value = try #require(SelfRepetition.value(of: ["a b c d e", "a b c d", "b c d e a b c d"]))
        #expect(isClose(value, (log1p(3) + log1p(2) + log1p(3)) / 3))
    }

    /// The code of "abcabcabc": three single bytes, then a copy of six from position 3.
    @Test func compressionFollowsItsDefinition() throws {
        for (s, set) in try SetFixture.load().sets.enumerated() {
            let value = CompressionRatio.value(of: set.texts)
            #expect((value == nil) == (set.compression == nil), "set \(s)")
            #expect(isClose(value ?? 0, set.compression ?? 0), "set \(s)")
        }
        func bits(_ text: String) -> Int { CompressionRatio.compressedBits(Array(text.utf8)) }
        #expect(bits("") == 0)
        #expect(bits("abc") == 27)
        #expect(bits("abcabcabc") == 27 + 1 + 5 + 2)
        #expect(bits("abcdXabcd") == 5 * 9 + 1 + 5 + 3)
        #expect(bits("abcdXabc") == 8 * 9)
        let ratio = try #require(CompressionRatio.value(of: ["abc", "abc"]))
        #expect(isClose(ratio, 7 * 8 / Double(bits("abc\nabc"))))
        #expect(CompressionRatio.value(of: ["b", "a"]) == CompressionRatio.value(of: ["a", "b"]))
        #expect(CompressionRatio.value(of: ["a"]) == nil)
        #expect(CompressionRatio.value(of: ["", ""]) == nil)
    }

    @Test func lengthControlCutsAndLeavesOut() throws {
        #expect(LengthControl.cut("  one two\u{A0}three", toWords: 2) == "  one two")
        #expect(LengthControl.cut("one two", toWords: 2) == "one two")
        #expect(LengthControl.cut("one", toWords: 2) == nil)
        #expect(LengthControl.cut("e\u{301}\r\nb c", toWords: 1) == "e\u{301}")
        #expect(LengthControl.commonLength(of: ["a b c", "a b c d", "a"]) == 1)
        #expect(LengthControl.commonLength(of: []) == nil)
        let collection = TextCollection(["a b c", "a b d e", "f", "x y"])
        let metric = LengthControlledMetric(DistinctNGramsMetric(orders: 1...1), words: 2)
        #expect(metric.name == "length_controlled_distinct_ngrams_1")
        #expect(try metric.value(of: [0, 1, 2, 3], in: collection) == 4.0 / 6)
        #expect(try metric.value(of: [0, 2], in: collection) == nil)
        #expect(metric.excludedTexts(in: collection) == 1)
    }
}

/// What must hold for every metric on every set of texts.
@Suite struct MetricPropertyTests {
    private var metrics: [any DiversityMetric] {
        get throws {
            let models = DiversityModels(encoder: LetterCounts(), entailment: overlapModel)
            var config = DiversityConfig()
            config.metrics = MetricCatalogue.names.filter { $0 != "openai_from_sim" && !answerMetrics.contains($0) }
            return try MetricCatalogue.metrics(config, models: models, commonLength: 5).metrics
        }
    }

    private func texts(_ seed: UInt64, kinds: Int = 40) -> [String] {
        var random = Draws(seed: seed)
        return (0..<8).map { _ in
            (0..<Int.random(in: 6...20, using: &random)).map { _ in "w\(Int.random(in: 0..<kinds, using: &random))" }
                .joined(separator: " ") + "."
        }
    }

    @Test func orderOfTextsNeverMatters() throws {
        var random = Draws(seed: 4)
        for seed in 1...5 as ClosedRange<UInt64> {
            let texts = texts(seed)
            let shuffled = texts.shuffled(using: &random)
            for metric in try metrics {
                let a = try #require(try metric.value(of: Array(0..<8), in: TextCollection(texts)))
                let b = try #require(try metric.value(of: Array(0..<8), in: TextCollection(shuffled)))
                #expect(isClose(a, b, metric.name.contains("vendi") ? 1e-6 : 1e-12), "\(metric.name)")
            }
        }
    }

    @Test func copiesLowerEveryMetric() throws {
        for seed in 1...5 as ClosedRange<UInt64> {
            let texts = texts(seed)
            let copied = Array(repeating: texts[0], count: 4) + texts.suffix(4)
            for metric in try metrics {
                let all = try #require(try metric.value(of: Array(0..<8), in: TextCollection(texts)))
                let fewer = try #require(try metric.value(of: Array(0..<8), in: TextCollection(copied)))
                let isLower = metric.higherIsMoreDiverse ? fewer < all : fewer > all
                #expect(isLower, "\(metric.name): \(all) for different texts, \(fewer) with copies")
            }
        }
    }

    @Test func disjointTextsReachTheMaximum() throws {
        let disjoint = (0..<6).map { t in (0..<8).map { "w\(t)x\($0)" }.joined(separator: " ") }
        let maxima: [String: Double] = [
            "averaged_distinct_ngrams": 1, "cosine_similarity_2d_diversity": 1, "vendi_score": 6, "self_bleu": 0,
            "rouge_l_homogenisation": 0, "self_repetition": 0, "distinct_ngrams_1": 1, "distinct_ngrams_5": 1,
            "nli_from_sim": 2,
        ]
        var seen = 0
        for metric in try metrics {
            guard let expected = maxima[metric.name] else { continue }
            seen += 1
            let value = try #require(try metric.value(of: Array(0..<6), in: TextCollection(disjoint)))
            #expect(isClose(value, expected), "\(metric.name): \(value)")
        }
        #expect(seen == maxima.count)
    }

    @Test func fewerThanTwoTextsHaveNoValue() throws {
        let collection = TextCollection(["one text of six words here"])
        for metric in try metrics {
            #expect(try metric.value(of: [], in: collection) == nil, "\(metric.name)")
            #expect(try metric.value(of: [0], in: collection) == nil, "\(metric.name)")
        }
    }
}

/// Metrics that look at the order of answers, at classes of them, or at more than texts.
let answerMetrics: Set<String> = [
    "distinct_k", "utility_k", "semantic_entropy", "semantic_entropy_by_likelihood", "effective_semantic_diversity", "pass_at_k",
    "best_reward_at_k", "reference_coverage", "inter_model_similarity",
]

/// An encoder that counts letters and digits.
struct LetterCounts: TextEncoder {
    let name = "letter counts"
    func embeddings(of texts: [String]) -> [[Float]?] {
        texts.map { text in
            var counts = [Float](repeating: 0, count: 128)
            for byte in text.utf8 where byte < 128 { counts[Int(byte)] += 1 }
            return counts
        }
    }
}

/// An inference model that is a function of a pair.
struct EntailmentFunction: EntailmentModel {
    let name: String
    private let function: @Sendable (EntailmentPair) throws -> EntailmentProbabilities

    /// Wraps `function`.
    init(name: String, _ function: @escaping @Sendable (EntailmentPair) throws -> EntailmentProbabilities) {
        self.name = name
        self.function = function
    }

    func probabilities(of pairs: [EntailmentPair]) throws -> [EntailmentProbabilities] {
        try pairs.map(function)
    }
}

/// Entailment is the share of words in common.
let overlapModel = EntailmentFunction(name: "overlap") { pair in
    let premise = Set(pair.premise.split(separator: " "))
    let hypothesis = Set(pair.hypothesis.split(separator: " "))
    let shared = Double(premise.intersection(hypothesis).count) / Double(max(1, premise.union(hypothesis).count))
    return EntailmentProbabilities(contradiction: 1 - shared, neutral: 0, entailment: shared)
}
