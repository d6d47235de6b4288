import Diversity
import Eval
import Foundation
import Testing
import _TestSupport

/// Best-of-N by order statistics against best-of-N by drawing.
@Suite struct ExactBestOfNTests {
    private let models = DiversityModels(
        encoder: LetterCounts(), remoteEncoder: LetterCounts(), entailment: overlapModel)

    private func input(_ seed: UInt64) -> DiversityInput {
        var random = Draws(seed: seed)
        return DiversityInput(
            (0..<6).map { i in
                DiversityInput.Group(
                    input: "\(i)",
                    outputs: (0..<5).map { _ in
                        DiversityInput.Output(
                            (0..<Int.random(in: 3...9, using: &random)).map { _ in
                                "w\(Int.random(in: 0..<6, using: &random))"
                            }
                            .joined(separator: " "), reward: Double(Int.random(in: 0..<4, using: &random)))
                    })
            })
    }

    @Test("the draws tend to the exact expectation, for every metric that is a mean over pairs")
    func drawsTendToTheExpectation() throws {
        var config = DiversityConfig()
        config.plan.acrossInputs = false
        config.plan.overall = false
        config.plan.simulatedBestOfN = 2
        config.plan.simulatedOutputs = 300
        config.nliPairs = 2000
        config.commonLength = 3
        config.lengthControl = true
        let pairwise = [
            "cosine_similarity_2d_diversity", "rouge_l_homogenisation", "sent_bert_from_sim", "openai_from_sim",
            "nli_from_sim",
        ]
        config.metrics = pairwise
        let report = try DiversityMeasurement.run(input(1), config: config, models: models)
        #expect(report.metrics.count == 10)
        for entry in report.metrics {
            let exact = try #require(entry.values.perInputExact?.values, "\(entry.name)")
            let drawn = try #require(entry.values.perInput?.values)
            #expect(exact.count == 6 && drawn.count == 6)
            // inference goes from −2 to 2, cosines and overlaps from 0 to 1
            let scale = entry.name.contains("nli") ? 2.0 : 1
            var sum = 0.0
            for (a, b) in zip(exact, drawn) {
                let (expected, found) = (try #require(a), try #require(b))
                #expect(abs(expected - found) < 0.12 * scale, "\(entry.name): \(expected), drawn \(found)")
                sum += expected - found
            }
            #expect(abs(sum / 6) < 0.04 * scale, "\(entry.name)")
        }
        config.metrics = ["averaged_distinct_ngrams", "vendi_score", "nli_sample_from_sim"]
        config.plan.simulatedOutputs = 4
        let others = try DiversityMeasurement.run(input(1), config: config, models: models)
        #expect(others.metrics.allSatisfy { $0.values.perInputExact == nil && $0.values.perInput != nil })
    }

    /// With n = 1 every output is as probable: 1/m of all pairs with replacement are a text with itself.
    @Test func oneSampleIsUniform() throws {
        let collection = TextCollection(["a b c d", "a b c e", "x y z"])
        let (set, thirds) = ([0, 1, 2], [Double](repeating: 1.0 / 3, count: 3))
        let metric = NGramCosineMetric()
        let pairs = try #require(metric.value(of: set, in: collection))
        let expected = try #require(metric.expectedValue(of: set, probabilities: thirds, in: collection))
        #expect(isClose(expected, pairs * 6 / 9))
        #expect(abs(metric.expectedValue(of: [1], probabilities: [1], in: collection) ?? 1) < 1e-12)
        let homogenisation = HomogenisationMetric()
        let f = try #require(homogenisation.value(of: set, in: collection))
        let mean = try #require(homogenisation.expectedValue(of: set, probabilities: thirds, in: collection))
        #expect(isClose(mean, f * 6 / 9 + 3.0 / 9))
    }

    @Test func theCurveIsExact() throws {
        var random = Draws(seed: 1)
        let input = DiversityInput([
            .init(input: "p", outputs: [.init("a", reward: 1), .init("b c", reward: 3), .init("d", reward: 2)]),
            .init(input: "q", outputs: [.init("a b c", reward: 0), .init("b", reward: 6)]),
            .init(input: "none", outputs: []),
        ])
        let curve = try BestOfNCurve(input, resamples: 50, using: &random)
        #expect(curve.points.map(\.n) == [1, 2])
        #expect(isClose(curve.points[0].reward.mean, (2 + 3) / 2.0) && curve.points[0].divergence == 0)
        #expect(isClose(curve.points[1].reward.mean, (8.0 / 3 + 6) / 2))
        #expect(isClose(curve.points[1].words.mean, (5.0 / 3 + 1) / 2))
        #expect(DiversityTable.csv(curve).split(separator: "\n").count == 3)
        let long = DiversityInput([.init(input: "p", outputs: (0..<70).map { .init("a", reward: Double($0)) })])
        #expect(try BestOfNCurve(long, resamples: 2, using: &random).points.map(\.n) == Array(1...16) + [32, 64, 70])
        let bare = DiversityInput([.init(input: "p", outputs: [.init("a", reward: 1), .init("b")])])
        #expect(throws: DiversityError.rewardsMissing(input: 0)) { try BestOfNCurve(bare, using: &random) }
    }
}
