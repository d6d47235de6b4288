import Diversity
import Eval
import Foundation
import Models
import Synchronization
import Testing
import _TestSupport

/// An encoder that counts what it is asked, and cannot encode some texts.
private final class CountingEncoder: TextEncoder {
    let name = "counting"
    let asked = Mutex<[String]>([])

    func embeddings(of texts: [String]) -> [[Float]?] {
        asked.withLock { $0 += texts }
        return texts.map { text in text.contains("?") ? nil : LetterCounts().embeddings(of: [text])[0] }
    }
}

/// Texts of one first letter say the same; notes every pair that it is asked about.
private final class FirstLetters: AnswerEquivalence {
    let name = "first letters"
    let isCheap: Bool
    let asked = Mutex<[[String]]>([])

    init(isCheap: Bool = false) { self.isCheap = isCheap }

    func areEquivalent(_ pairs: [AnswerPair], in collection: TextCollection) -> [Bool] {
        pairs.map { pair in
            let texts = [collection.texts[pair.first], collection.texts[pair.second]]
            asked.withLock { $0.append(texts) }
            return texts[0].first == texts[1].first
        }
    }
}

/// Two texts say the same where they are listed, in their order.
private struct GivenPairs: AnswerEquivalence {
    let pairs: Set<[String]>
    var name: String { "listed" }
    var isCheap: Bool { true }

    func areEquivalent(_ asked: [AnswerPair], in collection: TextCollection) -> [Bool] {
        asked.map { pairs.contains([collection.texts[$0.first], collection.texts[$0.second]]) }
    }
}

/// How classes of answers are made, and what is asked for them.
@Suite struct AnswerClassesTests {
    @Test("an answer is compared with the first members of classes only, each pair once, copies never")
    func questions() throws {
        let equivalence = FirstLetters()
        let collection = TextCollection(["a1", "b1", "a1", "a2", "c1", "b2", "a2"])
        let all = Array(collection.texts.indices)
        #expect(try AnswerClasses.classes(of: all, by: equivalence, in: collection) == [0, 1, 0, 0, 2, 1, 0])
        let expected = [["a1", "b1"], ["a1", "a2"], ["a1", "c1"], ["a1", "b2"], ["b1", "c1"], ["b1", "b2"]]
        #expect(equivalence.asked.withLock { $0 } == expected)
        // other metrics ask for the same set
        _ = try AnswerClasses.classes(of: all, by: equivalence, in: collection)
        #expect(equivalence.asked.withLock { $0.count } == expected.count)
        #expect(try AnswerClasses.classes(of: [2, 0, 2], by: equivalence, in: collection) == [0, 0, 0])
        #expect(equivalence.asked.withLock { $0.count } == expected.count)
        #expect(try AnswerClasses.classes(of: [], by: equivalence, in: collection).isEmpty)
    }

    @Test("copies that stand before and behind the first member of a class are in two classes, as in the code of Farquhar et al.")
    func straddlingCopies() throws {
        let collection = TextCollection(["A", "B", "C", "B"])
        let equivalence = GivenPairs(pairs: [["A", "B"], ["C", "B"]])
        let all = [0, 1, 2, 3]
        #expect(try AnswerClasses.classes(of: all, by: equivalence, rule: .latest, in: collection) == [0, 0, 1, 1])
        #expect(try AnswerClasses.classes(of: all, by: equivalence, in: collection) == [0, 0, 1, 0])
        #expect(isClose(try #require(try SemanticEntropyMetric(equivalence).value(of: all, in: collection)), log(2)))
        // draws that have an answer twice are such copies, too
        #expect(try AnswerClasses.classes(of: [0, 1, 2, 1], by: equivalence, rule: .latest, in: collection) == [0, 0, 1, 1])
    }

    @Test("classes of random answers with copies are those of the published loop")
    func publishedLoop() throws {
        var random = Draws(seed: 11)
        for _ in 0..<200 {
            let texts = (0..<Int.random(in: 0...9, using: &random)).map { _ in "t\(Int.random(in: 0..<5, using: &random))" }
            var pairs: Set<[String]> = []
            for a in 0..<5 { for b in 0..<5 where Bool.random(using: &random) { pairs.insert(["t\(a)", "t\(b)"]) } }
            var (expected, next) = ([Int](repeating: -1, count: texts.count), 0)
            for i in texts.indices where expected[i] == -1 {
                expected[i] = next
                for j in texts.indices where j > i && (texts[i] == texts[j] || pairs.contains([texts[i], texts[j]])) { expected[j] = next }
                next += 1
            }
            let found = try AnswerClasses.classes(
                of: Array(texts.indices), by: GivenPairs(pairs: pairs), rule: .latest, in: TextCollection(texts))
            #expect(found == expected, "\(texts)")
        }
    }

    @Test("texts that look alike but have other code points are other texts")
    func codePoints() throws {
        let collection = TextCollection(["caf\u{E9} au lait", "cafe\u{301} au lait"])
        let never = OverlapEquivalence(threshold: 1)
        #expect(try AnswerClasses.classes(of: [0, 1], by: never, in: collection) == [0, 1])
        #expect(try AnswerClasses.classes(of: [0, 0], by: never, in: collection) == [0, 0])
    }

    @Test("every text is encoded once, for all metrics, sets, systems' comparisons and references together")
    func encodedOnce() throws {
        let encoder = CountingEncoder()
        let input = DiversityInput([
            .init(
                input: "p", outputs: [.init("red apple", reward: 1), .init("green pear", reward: 2), .init("blue plum", reward: 3)],
                references: ["a ripe apple", "green pear"]),
            .init(input: "q", outputs: [.init("one two", reward: 1), .init("two one", reward: 0), .init("one two", reward: 2)]),
        ])
        var config = DiversityConfig()
        config.resamples = 10
        config.answers.equivalence = .embeddings
        config.answers.qualityThreshold = 1
        config.answers.coversByEquivalence = true
        let report = try DiversityMeasurement.run(input, config: config, models: .init(encoder: encoder))
        #expect(report["reference_coverage"]?.values.perInput?.values[0] != nil)
        #expect(report["reference_coverage"]?.values.perInput?.values[1] == nil)
        let asked = encoder.asked.withLock { $0 }
        #expect(asked.count == Set(asked).count, "\(asked)")
        #expect(Set(asked) == ["red apple", "green pear", "blue plum", "one two", "two one", "a ripe apple"])
        // the letters are the same ones
        #expect(report["distinct_k"]?.values.perInput?.values[1] == 1)
        // one answer of each input: cheap to compare, so that it is measured
        #expect(report["distinct_k"]?.values.acrossInputs?.mean == 2)
    }

    @Test("texts that could not be encoded are left out of classes and counted")
    func unknownTexts() throws {
        let input = DiversityInput([
            .init(input: "p", outputs: [.init("aaa", reward: 1), .init("what?", reward: 1), .init("zzz", reward: 1)]),
            .init(input: "q", outputs: [.init("b?", reward: 1), .init("c", reward: 1)]),
        ])
        var config = DiversityConfig()
        config.answers.equivalence = .embeddings
        config.answers.qualityThreshold = 1
        config.metrics = ["distinct_k", "utility_k", "effective_semantic_diversity"]
        let report = try DiversityMeasurement.run(input, config: config, models: .init(encoder: CountingEncoder()))
        for entry in report.metrics {
            #expect(entry.excludedTexts == 2 && entry.values.perInput?.excluded == 1, "\(entry.name)")
        }
        #expect(report["distinct_k"]?.values.perInput?.values == [2, nil])
        let text = DiversityTable.text(report)
        #expect(text.contains("distinct_k: 2 of 5 texts left out"))
        #expect(text.contains("distinct_k: 1 of 2 inputs left out of the mean per input"))
        #expect(text.contains("two answers are equivalent by: cosine of embeddings by counting above 0.8"))
    }

    @Test("answers to different inputs are compared only where that costs next to nothing")
    func costs() throws {
        let collection = TextCollection(["a", "b"])
        for isCheap in [true, false] {
            let equivalence = FirstLetters(isCheap: isCheap)
            #expect(DistinctClassesMetric(equivalence).sets.contains(.acrossInputs) == isCheap)
            #expect(EffectiveDiversityMetric(equivalence, threshold: 0).sets.contains(.acrossInputs) == isCheap)
            #expect(!DistinctClassesMetric(equivalence).sets.contains(.overall))
            #expect(try DistinctClassesMetric(equivalence).value(of: [0, 1], in: collection) == 2)
        }
    }

    @Test("a model of another number of answers, and a classifier of something else, are refused")
    func refusals() throws {
        struct Silent: SimilarityModel {
            let name = "silent"
            func probabilities(of pairs: [(first: String, second: String)]) -> [Double] { [] }
        }
        let collection = TextCollection(["one two three four five six", "seven"])
        #expect(throws: DiversityError.wrongCount(of: "probabilities", got: 0, expected: 1)) {
            try AnswerClasses.classes(of: [0, 1], by: ClassifierEquivalence(Silent()), in: collection)
        }
        let error = #expect(throws: EncoderError.self) { try FolderSimilarityModel(Fixtures.url("encoders/sentence/nli")) }
        #expect(error?.description.contains("needs two mutually exclusive labels, but this one has 3") == true)
    }

    @Test("a classifier reads at most 128 tokens of each text, and reads a text beside an empty one")
    func classifierInput() throws {
        let model = try FolderSimilarityModel(Fixtures.url("diversity/similarity"))
        let long = Array(repeating: "the dog", count: 150).joined(separator: " ")
        let found = try model.probabilities(of: [(long, "x"), (long + " more", "x"), ("x", ""), ("x", "x"), ("", "x")])
        #expect(found[0] == found[1] && found[2] != found[3] && found[2] != found[4])
        #expect(model.classifiedPairs == 5)
        _ = try model.probabilities(of: [("x", "x")])
        #expect(model.classifiedPairs == 5)
    }

    @Test("entailment behind the input reads the input before both answers; the way back is asked where the way there entails")
    func entailmentBehindTheInput() throws {
        final class Listening: EntailmentModel {
            let name = "listening"
            let asked = Mutex<[EntailmentPair]>([])
            func probabilities(of pairs: [EntailmentPair]) -> [EntailmentProbabilities] {
                asked.withLock { $0 += pairs }
                return pairs.map {
                    $0.premise.count <= $0.hypothesis.count
                        ? .init(contradiction: 0, neutral: 0, entailment: 1) : .init(contradiction: 1, neutral: 0, entailment: 0)
                }
            }
        }
        let model = Listening()
        let collection = TextCollection([DiversityInput.Group(input: "why", outputs: [.init("so"), .init("because"), .init("as")])])
        let equivalence = EntailmentEquivalence(model, readsInput: true)
        #expect(try AnswerClasses.classes(of: [0, 1, 2], by: equivalence, in: collection) == [0, 1, 0])
        let asked = model.asked.withLock { $0 }
        #expect(asked.map(\.premise) == ["why so", "why so", "why because", "why as"])
        #expect(asked.map(\.hypothesis) == ["why because", "why as", "why so", "why so"])
    }
}
