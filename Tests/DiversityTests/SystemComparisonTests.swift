import Diversity
import Eval
import Foundation
import Testing
import _TestSupport

/// Losses of diversity in their parts, and how alike the answers of different systems are.
@Suite struct SystemComparisonTests {
    private func input(_ groups: [[(String, Double?)]]) -> DiversityInput {
        DiversityInput(
            groups.enumerated().map { number, outputs in .init(input: "\(number)", outputs: outputs.map { .init($0.0, reward: $0.1) }) })
    }

    private var config: DiversityConfig {
        var config = DiversityConfig()
        config.resamples = 50
        config.answers.qualityThreshold = 1
        return config
    }

    @Test("what quality control would lose and the rest add up to the loss, by hand")
    func byHand() throws {
        // three different answers of which two are good and alike in two of three words' trigrams: none in common
        let reference = input([
            [("a b c d", 1), ("a b c e", 2), ("x y z", 0)], [("a b c d", 1), ("p q r", 1), ("x y z", 0)], [("m n o", 0), ("k l m", 1)],
        ])
        let system = input([
            [("a b c d", 3), ("a b c d", 3)], [("a b c d", 3), ("p q r", 3), ("x y z", 3)], [("m n o", 0), ("k l m", 1)],
        ])
        var config = config
        config.metrics = ["cosine_similarity_2d_diversity", "distinct_ngrams_1", "rouge_l_homogenisation", "pass_at_k"]
        let results = try DiversityMeasurement.run([DiversitySystem("ppo", system), DiversitySystem("sft", reference)], config: config)
        let loss = try #require(results.losses.first)
        #expect(loss.name == "quality_loss" && loss.loss.reference == "sft" && loss.loss.system == "ppo" && loss.loss.threshold == 1)
        #expect(isClose(loss.loss.passing, 5.0 / 8))
        #expect(loss.loss.metrics.map(\.name) == ["cosine_similarity_2d_diversity", "distinct_ngrams_1", "rouge_l_homogenisation"])
        let cosine = loss.loss.metrics[0]
        // input 0: all 1 − (1/2)/3, good 1/2, system 0; input 1: 1, 1, 1; input 2 has a single good answer
        #expect(cosine.inputs == 2 && cosine.leftOut == 1)
        #expect(isClose(cosine.loss.mean, (1 - 0.5 / 3) / 2))
        #expect(isClose(cosine.qualityControl.mean, (1 - 0.5 / 3 - 0.5) / 2))
        #expect(isClose(cosine.rest.mean, 0.5 / 2))
        for entry in loss.loss.metrics {
            #expect(isClose(entry.qualityControl.mean + entry.rest.mean, entry.loss.mean), "\(entry.name)")
        }
        // less is more diverse there, and a loss is positive all the same
        #expect(loss.loss.metrics[2].loss.mean > 0 && !loss.loss.metrics[2].higherIsMoreDiverse)
        // sets of one size: two texts of one word each in common or not
        let distinct = loss.loss.metrics[1]
        #expect(distinct.inputs == 2 && distinct.rest.mean > 0)
        #expect(results.text.contains("diversity lost from sft to ppo") && results.flatValues["quality_loss_distinct_ngrams_1"] != nil)
        let file = try #require(results.files.first { $0.name == "quality_loss" })
        #expect(file.csv.split(separator: "\n").count == 4)
    }

    @Test("a system that only rejects bad answers lost nothing beyond quality control, whatever the number of its texts")
    func rejection() throws {
        var random = Draws(seed: 3)
        let groups = (0..<40).map { _ in
            (0..<16).map { _ in
                (
                    (0..<8).map { _ in "w\(Int.random(in: 0..<30, using: &random))" }.joined(separator: " "),
                    Double(Int.random(in: 0...2, using: &random)) as Double?
                )
            }
        }
        let kept = groups.map { $0.filter { ($0.1 ?? 0) >= 1 } }
        var config = config
        config.metrics = ["ead_averaged_distinct_ngrams", "vendi_score", "cosine_similarity_2d_diversity", "distinct_k"]
        let results = try DiversityMeasurement.run(
            [DiversitySystem("rejecting", input(kept)), DiversitySystem("sft", input(groups))], config: config)
        let loss = try #require(results.losses.first?.loss)
        #expect(loss.metrics.count == 4)
        for entry in loss.metrics {
            #expect(abs(entry.rest.mean) < 1e-9, "\(entry.name): \(entry.rest)")
            // rewards have nothing to do with words here
            #expect(entry.qualityControl.contains(0), "\(entry.name): \(entry.qualityControl)")
        }
    }

    @Test("without a threshold or without rewards of the reference system there is no decomposition")
    func absent() throws {
        let (bare, rewarded) = (input([[("a b", nil), ("c d", nil)]]), input([[("a b", 1), ("c d", 1)]]))
        var config = config
        config.metrics = ["distinct_ngrams_1"]
        func losses(_ a: DiversityInput, _ b: DiversityInput, _ config: DiversityConfig) throws -> Int {
            try DiversityMeasurement.run([DiversitySystem("a", a), DiversitySystem("b", b)], config: config).losses.count
        }
        #expect(try losses(rewarded, bare, config) == 0)
        #expect(try losses(bare, rewarded, config) == 1)
        config.answers.qualityThreshold = nil
        #expect(try losses(bare, rewarded, config) == 0)
    }

    @Test("a quality threshold that parts nothing is said, with the reason")
    func absenceIsSaid() throws {
        let (bare, rewarded) = (input([[("a b", nil), ("c d", nil)]]), input([[("a b", 1), ("c d", 1)]]))
        var config = config
        config.metrics = ["distinct_ngrams_1"]
        func text(_ a: DiversityInput, _ b: DiversityInput) throws -> String {
            let results = try DiversityMeasurement.run([DiversitySystem("ppo", a), DiversitySystem("sft", b)], config: config)
            #expect(results.absences.count + results.losses.count == (config.answers.qualityThreshold == nil ? 0 : 1))
            return results.text
        }
        let line = "diversity lost from sft to ppo was not split by quality: "
        #expect(try text(rewarded, bare).contains(line + "sft has no rewards"))
        #expect(try !text(bare, rewarded).contains(line))
        config.answers.qualityThreshold = 1.5
        #expect(try text(rewarded, rewarded).contains(line + "no reward of sft is at least 1.5; the greatest is 1"))
        config.answers.qualityThreshold = 1
        #expect(try text(rewarded, input([[("a b", 1), ("c d", 0)]])).contains(line + "for no input does a text metric have values"))
        config.plan.perInput = false
        #expect(try text(rewarded, rewarded).contains(line + "nothing was measured per input"))
        config.answers.qualityThreshold = nil
        #expect(try !text(rewarded, rewarded).contains("was not split"))
    }

    @Test("differences and losses that are rounding alone are 0, without a star")
    func noStarFromRounding() throws {
        // 0.1 + 0.2 + 0.3 is another number than 0.3 + 0.2 + 0.1
        let metric = ClosureMetric("sums", fewestTexts: 1) { $0[0] == "up" ? 0.1 + 0.2 + 0.3 : 0.3 + 0.2 + 0.1 }
        let groups = (0..<5).map { _ in [("up", 1.0 as Double?), ("up", 1)] }
        let (up, down) = (input(groups), input(groups.map { $0.map { ("down", $0.1) } }))
        for (first, second) in [(up, down), (down, up)] {
            let results = try DiversityMeasurement.run(
                [DiversitySystem("ppo", first), DiversitySystem("sft", second)], metrics: [metric], config: config)
            let (entry, zero) = (results.comparisons[0].comparison.metrics[0], Interval(mean: 0, low: 0, high: 0))
            #expect(entry.perInput == zero && entry.acrossInputs == zero)
            #expect(results.losses[0].loss.metrics[0].loss == zero)
            #expect(!results.text.contains("] *"), "\(results.text)")
            let gap = try DiversityMeasurement.run(
                [DiversitySystem("s", first, outOfDistribution: second)], metrics: [metric], config: config)
            #expect(gap.comparisons[0].comparison.metrics[0].perInput == zero && !gap.text.contains("] *"))
        }
    }

    @Test("the similarity between systems is the mean cosine over pairs of their answers, in and out of distribution")
    func interModel() throws {
        struct Axes: TextEncoder {
            let name = "axes"
            func embeddings(of texts: [String]) -> [[Float]?] {
                texts.map { text in
                    text == "bad" ? nil : ["x", "y", "z"].map { axis in Float(text.split(separator: " ").count { $0 == axis }) }
                }
            }
        }
        func system(_ name: String, _ a: [String], _ b: [String], ood: [String]? = nil) -> DiversitySystem {
            DiversitySystem(
                name, DiversityInput([.init(input: "p", outputs: a.map { .init($0) }), .init(input: "q", outputs: b.map { .init($0) })]),
                outOfDistribution: ood.map { DiversityInput([.init(input: "o", outputs: $0.map { .init($0) })]) })
        }
        var config = DiversityConfig()
        config.resamples = 50
        config.metrics = ["inter_model_similarity", "distinct_ngrams_1"]
        config.lengthControl = true
        config.commonLength = 1
        let systems = [
            system("a", ["x", "y z"], ["x"], ood: ["x"]), system("b", ["x", "x"], ["y"], ood: ["x y"]),
            system("c", ["y", "bad"], ["bad"], ood: ["z"]),
        ]
        let results = try DiversityMeasurement.run(systems, config: config, models: .init(encoder: Axes()))
        let similarity = try #require(results.similarity)
        let entries = similarity.inDistribution
        let own = entries.filter { $0.name == "inter_model_similarity" }
        #expect(own.map(\.systems) == [[], ["a", "b"], ["a", "c"], ["b", "c"]])
        let half = 0.5, root = 0.5.squareRoot()
        // a with b: one of two is x; a with c: y with (x, y z), of which the second has cosine 1/√2
        let expected = [half, root / 2, 0]
        for (entry, value) in zip(own.dropFirst(), expected) { #expect(isClose(try #require(entry.values[0]), value, 1e-6)) }
        #expect(isClose(try #require(own[0].values[0]), expected.reduce(0, +) / 3, 1e-6))
        #expect(own[2].values[1] == nil && own[2].excluded == 1 && own[0].values[1].map { isClose($0, 0) } == true)
        let outside = try #require(similarity.outOfDistribution)
        #expect(outside.count == entries.count)
        #expect(isClose(try #require(outside[1].values[0]), root, 1e-6))
        #expect(isClose(try #require(similarity.gap?[1]).mean, 0.25 - root, 1e-6))
        #expect(
            results.flatValues["inter_model_similarity"] != nil && results.flatValues["length_controlled_inter_model_similarity"] != nil)
        let file = try #require(results.files.first { $0.name == "inter_model" })
        #expect(file.csv.hasPrefix("part,metric,systems,mean,low,high,inputs,excluded\nin_distribution,inter_model_similarity,,"))
        #expect(results.text.contains("inter_model_similarity, a and b:"))
        // texts cut to one word: "y z" is y
        let cut = try #require(entries.first { $0.name.hasPrefix("length_controlled") && $0.systems == ["a", "c"] })
        #expect(isClose(try #require(cut.values[0]), 0.5, 1e-6))
    }

    @Test("between systems there is nothing without a second system or an encoder, and a name says so")
    func interModelNeeds() throws {
        let one = DiversityInput(outputs: [["a", "b"]])
        var config = DiversityConfig()
        config.resamples = 10
        let alone = try DiversityMeasurement.run([DiversitySystem("a", one)], config: config)
        #expect(alone.similarity == nil && !alone.parts[0].report.withoutModel.contains("inter_model_similarity"))
        let two = [DiversitySystem("a", one), DiversitySystem("b", one)]
        let blind = try DiversityMeasurement.run(two, config: config)
        #expect(blind.similarity == nil && blind.parts[0].report.needs?["inter_model_similarity"]?.contains("--embedding-model") == true)
        #expect(try DiversityMeasurement.run(two, config: config, models: .init(encoder: LetterCounts())).similarity != nil)
        config.metrics = ["inter_model_similarity"]
        let error = #expect(throws: DiversityError.self) {
            try DiversityMeasurement.run([DiversitySystem("a", one)], config: config, models: .init(encoder: LetterCounts()))
        }
        #expect(error?.description.contains("--compare-run-ids") == true)
        #expect(try DiversityMeasurement.run(two, config: config, models: .init(encoder: LetterCounts())).similarity != nil)
    }
}
