import Diversity
import Eval
import Foundation
import Testing
import _TestSupport

/// The metrics of classes, meaning and quality against what an independent script computes (Tests/Fixtures/diversity/make_answers.py).
@Suite struct AnswerFixtureTests {
    struct Answers: Decodable {
        let levels: [Double]
        let sets: [AnswerSet]
    }

    struct AnswerSet: Decodable {
        let texts: [String]
        let rewards: [Double]
        let threshold: Double
        let partition: [Int]
        let distinct: Double
        let overlap: [Int]
        let probability: Double
        let utility: Double
        let utilityOfLevels: Double
        let distinctOfTwo: Double
        let utilityOfTwo: Double
        let labels: [[Int]]
        let logProbs: [Double]
        let tokens: [Double]
        let meanings: [Int]
        let entropy: Double
        let entropyByLikelihood: Double
        let passAtK: [Double]
        let bestAtK: [Double]
        let effective: Double
        let references: [String]
        let coverage: Double

        var group: DiversityInput.Group {
            .init(
                input: "q",
                outputs: texts.indices.map { .init(texts[$0], reward: rewards[$0], meanLogProb: logProbs[$0] / tokens[$0]) },
                references: references)
        }
        var all: [Int] { Array(texts.indices) }
    }

    /// An inference model whose labels were drawn before.
    private struct RecordedLabels: EntailmentModel {
        let name = "recorded"
        let set: AnswerSet

        func probabilities(of pairs: [EntailmentPair]) throws -> [EntailmentProbabilities] {
            pairs.map { pair in
                let places = [pair.premise, pair.hypothesis].map { text in
                    set.texts.firstIndex { $0.utf8.elementsEqual(text.utf8) } ?? 0
                }
                let label = set.labels[places[0]][places[1]]
                return EntailmentProbabilities(
                    contradiction: label == 0 ? 0.5 : 0.2, neutral: label == 1 ? 0.5 : 0.3, entailment: label == 2 ? 0.5 : 0.1)
            }
        }
    }

    private static func load() throws -> Answers { try Fixtures.json(Answers.self, from: "diversity/answers.json") }

    private static func model() throws -> FolderSimilarityModel {
        try FolderSimilarityModel(Fixtures.url("diversity/similarity"))
    }

    @Test("classes, their number and utility are NoveltyBench's, with its classifier of a folder")
    func noveltyBench() throws {
        let fixture = try Self.load()
        let model = try Self.model()
        let equivalence = ClassifierEquivalence(model)
        let scale = UtilityMetric.Scale(fixture.levels)
        #expect(scale == .noveltyBench)
        for (number, set) in fixture.sets.enumerated() {
            let collection = TextCollection([set.group])
            let probability = try #require(try model.probabilities(of: [(set.texts[0], set.texts[set.texts.count - 1])]).first)
            #expect(isClose(probability, set.probability, 1e-5), "set \(number)")
            #expect(try AnswerClasses.classes(of: set.all, by: equivalence, in: collection) == set.partition, "set \(number)")
            #expect(try DistinctClassesMetric(equivalence).value(of: set.all, in: collection) == set.distinct, "set \(number)")
            #expect(try DistinctClassesMetric(equivalence, count: 2).value(of: set.all, in: collection) == set.distinctOfTwo)
            func utility(_ count: Int? = nil, _ scale: UtilityMetric.Scale? = nil) throws -> Double {
                try #require(try UtilityMetric(equivalence, count: count, scale: scale).value(of: set.all, in: collection))
            }
            #expect(isClose(try utility(), set.utility), "set \(number)")
            #expect(isClose(try utility(nil, scale), set.utilityOfLevels), "set \(number)")
            #expect(isClose(try utility(2), set.utilityOfTwo), "set \(number)")
            #expect(try UtilityMetric(equivalence, count: 99).value(of: set.all, in: collection) == nil)
        }
    }

    @Test("classes by overlap are those of NoveltyBench's unigrams")
    func overlap() throws {
        for (number, set) in try Self.load().sets.enumerated() {
            let found = try AnswerClasses.classes(of: set.all, by: OverlapEquivalence(), in: TextCollection([set.group]))
            #expect(found == set.overlap, "set \(number)")
        }
    }

    @Test("semantic entropy, with and without likelihoods, is that of the publications' code")
    func semanticEntropy() throws {
        for (number, set) in try Self.load().sets.enumerated() {
            let collection = TextCollection([set.group])
            let equivalence = EntailmentEquivalence(RecordedLabels(set: set))
            let meanings = try AnswerClasses.classes(of: set.all, by: equivalence, rule: .latest, in: collection)
            #expect(meanings == set.meanings, "set \(number)")
            let entropy = try #require(try SemanticEntropyMetric(equivalence).value(of: set.all, in: collection))
            #expect(isClose(entropy, set.entropy), "set \(number)")
            let weighted = try #require(try SemanticEntropyMetric(equivalence, usesLikelihoods: true).value(of: set.all, in: collection))
            #expect(isClose(weighted, set.entropyByLikelihood), "set \(number)")
        }
    }

    @Test("pass at k and the best reward at k are means over all subsets of k answers")
    func subsets() throws {
        for (number, set) in try Self.load().sets.enumerated() {
            let collection = TextCollection([set.group])
            for k in set.all.map({ $0 + 1 }) {
                let pass = try #require(PassAtKMetric(threshold: set.threshold, count: k).value(of: set.all, in: collection))
                #expect(isClose(pass, set.passAtK[k - 1], 1e-12), "set \(number), k \(k)")
                let best = try #require(try BestRewardMetric(count: k).value(of: set.all, in: collection))
                #expect(isClose(best, set.bestAtK[k - 1]), "set \(number), k \(k)")
            }
            let whole = PassAtKMetric(threshold: set.threshold)
            #expect(whole.value(of: set.all, in: collection) == set.passAtK[set.texts.count - 1])
            #expect(try BestRewardMetric().value(of: set.all, in: collection) == set.rewards.max())
            #expect(PassAtKMetric(threshold: 0, count: set.texts.count + 1).value(of: set.all, in: collection) == nil)
            #expect(try BestRewardMetric(count: set.texts.count + 1).value(of: set.all, in: collection) == nil)
        }
        #expect(PassAtKMetric.estimate(answers: 5, passing: 2, k: 0) == nil)
        #expect(PassAtKMetric.estimate(answers: 100_000, passing: 1, k: 50_000).map { isClose($0, 0.5, 1e-9) } == true)
    }

    @Test("effective diversity counts pairs that differ and are both good enough; coverage counts references that an answer matches")
    func effectiveAndCoverage() throws {
        for (number, set) in try Self.load().sets.enumerated() {
            let collection = TextCollection([set.group])
            let effective = EffectiveDiversityMetric(OverlapEquivalence(), threshold: set.threshold)
            #expect(isClose(try #require(try effective.value(of: set.all, in: collection)), set.effective), "set \(number)")
            // drawing pairs with replacement adds pairs of an answer with itself, which are no different ones
            let count = Double(set.texts.count)
            let expected = try effective.expectedValue(of: set.all, probabilities: set.all.map { _ in 1 / count }, in: collection)
            #expect(isClose(try #require(expected), set.effective * (count - 1) / count), "set \(number)")
            let coverage = try ReferenceCoverageMetric(.rougeL(0.5)).value(of: set.all, in: collection)
            #expect(isClose(try #require(coverage), set.coverage), "set \(number)")
        }
    }
}
