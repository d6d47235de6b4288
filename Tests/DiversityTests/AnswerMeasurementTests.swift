import Data
import Diversity
import Eval
import Foundation
import Testing
import _TestSupport

/// The metrics of answers in measurements: what is missing and said, what is left out and counted, and comparisons of systems.
@Suite struct AnswerMeasurementTests {
    private func outputs(_ seed: UInt64, kinds: Int, inputs: Int = 10, reward: ClosedRange<Double> = 0...1) -> DiversityInput {
        var random = Draws(seed: seed)
        return DiversityInput(
            (0..<inputs).map { input in
                .init(
                    input: "\(input)",
                    outputs: (0..<6).map { _ in
                        .init(
                            (0..<8).map { _ in "w\(Int.random(in: 0..<kinds, using: &random))" }.joined(separator: " "),
                            reward: Double.random(in: reward, using: &random))
                    }, references: ["w1 w2 w3", "w4 w5"])
            })
    }

    private var config: DiversityConfig {
        var config = DiversityConfig()
        config.resamples = 50
        config.answers.qualityThreshold = 0.5
        return config
    }

    @Test(
        "a metric whose needs are missing says them: all leaves it out with the words, a name is an error",
        arguments: [
            ("utility_k", "rewards of the outputs"), ("pass_at_k", "--quality-threshold"), ("pass_at_k", "rewards of the outputs"),
            ("best_reward_at_k", "rewards"), ("semantic_entropy", "--nli-model"), ("semantic_entropy_by_likelihood", "log_prob and tokens"),
            ("effective_semantic_diversity", "--quality-threshold"), ("reference_coverage", "references of the inputs"),
            ("sent_bert_from_sim", "--embedding-model"), ("nli_from_sim", "--nli-model"),
        ])
    func needs(metric: String, words: String) throws {
        let bare = DiversityInput(outputs: [["a b c", "a d"], ["e f", "g h"]])
        var config = DiversityConfig()
        let report = try DiversityMeasurement.run(bare, config: config)
        #expect(report.needs?[metric]?.contains(words) == true, "\(report.needs?[metric] ?? "nothing")")
        #expect(report.withoutModel.contains(metric) && DiversityTable.text(report).contains(words))
        config.metrics = [metric]
        let error = #expect(throws: DiversityError.self) { try DiversityMeasurement.run(bare, config: config) }
        guard case .modelMissing(metric, _)? = error else { return #expect(Bool(false), "\(error as Any)") }
    }

    @Test("an equivalence that has no model is said with the option that names one; without a choice the best there is is taken")
    func equivalences() throws {
        let input = outputs(1, kinds: 30)
        var config = config
        config.metrics = ["distinct_k"]
        for (choice, option) in [
            (AnswerOptions.Equivalence.embeddings, "--embedding-model"), (.entailment, "--nli-model"), (.classifier, "--similarity-model"),
        ] {
            config.answers.equivalence = choice
            let error = #expect(throws: DiversityError.self) { try DiversityMeasurement.run(input, config: config) }
            #expect(error?.description.contains(option) == true)
        }
        config.answers.equivalence = nil
        func note(_ models: DiversityModels) throws -> String {
            try DiversityMeasurement.run(input, config: config, models: models).metrics[0].note ?? ""
        }
        let similarity = try FolderSimilarityModel(Fixtures.url("diversity/similarity"))
        #expect(try note(.init()).contains("ROUGE-1 F above 0.458"))
        #expect(try note(.init(encoder: LetterCounts())).contains("cosine"))
        #expect(try note(.init(encoder: LetterCounts(), entailment: overlapModel)).contains("entailment in both directions"))
        let all = DiversityModels(encoder: LetterCounts(), entailment: overlapModel, similarity: similarity)
        let classified = try note(all)
        #expect(classified.contains("P by") && classified.contains("above 0.102"))
    }

    @Test("one missing reward, reference or likelihood leaves out its own, with the count")
    func missingRows() throws {
        var input = outputs(2, kinds: 30)
        for i in input.groups.indices { for j in input.groups[i].outputs.indices { input.groups[i].outputs[j].meanLogProb = -Double(j) } }
        input.groups[3].outputs[1].reward = nil
        input.groups[4].outputs[2].meanLogProb = nil
        input.groups[5].references = []
        for j in 1..<6 { input.groups[6].outputs[j].reward = nil }
        var config = config
        config.metrics = [
            "utility_k", "effective_semantic_diversity", "pass_at_k", "best_reward_at_k", "semantic_entropy_by_likelihood",
            "reference_coverage",
        ]
        let report = try DiversityMeasurement.run(input, config: config, models: .init(entailment: overlapModel))
        let texts = [
            "utility_k": 6, "effective_semantic_diversity": 6, "pass_at_k": 6, "best_reward_at_k": 6, "semantic_entropy_by_likelihood": 1,
        ]
        let inputs = ["utility_k": 1, "effective_semantic_diversity": 1, "reference_coverage": 1]
        for entry in report.metrics {
            #expect(entry.excludedTexts == texts[entry.name] ?? 0, "\(entry.name)")
            #expect(entry.values.perInput?.excluded == inputs[entry.name] ?? 0, "\(entry.name)")
        }
        // the five that remain
        let group = input.groups[3].outputs.compactMap(\.reward)
        #expect(group.count == 5 && report["best_reward_at_k"]?.values.perInput?.values[3] == group.max())
        config.metrics = ["pass_at_k"]
        config.answers.count = 6
        let six = try DiversityMeasurement.run(input, config: config)
        #expect(six.metrics[0].values.perInput?.excluded == 2)
    }

    @Test("files: nulls among rewards, lists of references, log_prob over tokens; tables: the same columns")
    func reading() throws {
        let lines = """
            {"input": "p", "output": ["a", "b"], "reward": [1, null], "log_prob": [-4, -6], "tokens": [2, 0], "reference": ["x", "y", "x"]}
            {"input": "p", "output": "c", "reward": 2, "log_prob": -3, "tokens": 4, "reference": "z"}
            {"input": "p", "output": "d", "reward": null, "log_prob": "none", "reference": null}
            """
        let input = try DiversityInput(json: Data(lines.utf8), name: "rows.jsonl")
        let group = try #require(input.groups.first)
        #expect(input.groups.count == 1 && group.references == ["x", "y", "z"] && group.reference == "x")
        #expect(group.outputs.map(\.reward) == [1, nil, 2, nil])
        #expect(group.outputs.map(\.meanLogProb) == [-2, nil, -0.75, nil])
        let rows = [
            SampleRow(id: "0", input: "p", response: "a", reference: "x", reward: 1, numbers: ["log_prob": -4, "tokens": 2]),
            SampleRow(id: "0", input: "p", response: "b", reference: "y", numbers: ["tokens": 2]),
        ]
        let table = DiversityInput(tables: [rows])
        #expect(table.groups[0].outputs.map(\.meanLogProb) == [-2, nil] && table.groups[0].references == ["x", "y"])
        for wrong in [#""reward": [1, "x"]"#, #""reward": [1]"#, #""reference": [1]"#] {
            #expect(throws: DiversityError.self) {
                try DiversityInput(json: Data(#"{"input": "p", "output": ["a", "b"], \#(wrong)}"#.utf8), name: "f")
            }
        }
    }

    @Test("an empty reference is none, in tables, files and groups: such inputs are left out and counted")
    func emptyReferences() throws {
        let rows = (0..<10).map { SampleRow(id: "\($0)", input: "p\($0)", response: "a b", reference: $0 < 5 ? "" : "a b") }
        let (empty, more) = ("\"\"", "[\"\", \"a b\"]")
        let lines = (0..<10).map { #"{"input": "p\#($0)", "output": "a b", "reference": \#($0 < 5 ? empty : more)}"# }
        let groups = (0..<10).map { DiversityInput.Group(input: "p\($0)", outputs: [.init("a b")], reference: $0 < 5 ? "" : "a b") }
        var config = config
        config.metrics = ["reference_coverage"]
        for input in [
            DiversityInput(tables: [rows]), try DiversityInput(json: Data(lines.joined(separator: "\n").utf8), name: "f"),
            DiversityInput(groups),
        ] {
            let results = try DiversityMeasurement.run(
                [DiversitySystem("s", input)], config: config, options: .init(textMetrics: TextMetrics.builtIn))
            let values = results.parts[0].report.metrics[0].values.perInput
            #expect(values?.mean.mean == 1 && values?.excluded == 5)
            #expect(results.text.contains("reference_coverage: 5 of 10 inputs left out of the mean per input"))
            let texts = try #require(results.texts.first?.report.groups.first)
            #expect(texts.withoutReference == 5 && texts.metrics["exact_match"]?.mean.mean == 1)
            #expect(results.text.contains("5 of 10 inputs without a reference left out"))
            config.useReferences = true
            #expect(throws: DiversityError.self) { try DiversityMeasurement.run(input, config: config) }
            config.useReferences = false
        }
    }

    @Test("of the first k answers there is nothing across inputs, and the range is k")
    func firstAnswers() throws {
        var config = config
        config.metrics = ["distinct_k"]
        config.answers.count = 3
        let values = try DiversityMeasurement.run(outputs(6, kinds: 60), config: config).metrics[0].values
        #expect(values.acrossInputs == nil && (values.perInput?.mean.mean ?? 9) <= 3)
        #expect(DistinctClassesMetric(OverlapEquivalence(), count: 3).range(ofTexts: 20) == MetricRange(least: 1, greatest: 3))
        config.answers.count = nil
        #expect(try (DiversityMeasurement.run(outputs(6, kinds: 60), config: config).metrics[0].values.acrossInputs?.mean ?? 0) > 3)
        // with k = 1 one answer is enough, in all of them
        config.metrics = ["distinct_k", "utility_k", "pass_at_k", "best_reward_at_k"]
        config.answers.count = 1
        let single = DiversityInput([.init(input: "p", outputs: [.init("a b", reward: 2)])])
        for entry in try DiversityMeasurement.run(single, config: config).metrics {
            #expect(entry.values.perInput?.excluded == 0, "\(entry.name)")
        }
    }

    @Test("where no input has a value the table counts them, and says it once for all metrics")
    func nothingLeft() throws {
        var config = config
        config.metrics = ["distinct_k", "utility_k", "pass_at_k", "distinct_ngrams_1"]
        config.answers.count = 7
        let report = try DiversityMeasurement.run(outputs(7, kinds: 60), config: config)
        let line = "distinct_k, utility_k, pass_at_k: 10 of 10 inputs left out of the mean per input"
        #expect(DiversityTable.text(report).contains(line))
        let row = try #require(DiversityTable.csv(report).split(separator: "\n").first { $0.hasPrefix("pass_at_k,") })
        #expect(row.split(separator: ",", omittingEmptySubsequences: false)[6] == "10")
        #expect(report["distinct_k"]?.values.withoutPerInput == 10 && report["distinct_ngrams_1"]?.values.withoutPerInput == nil)
        #expect(try JSONDecoder().decode(DiversityReport.self, from: JSONEncoder().encode(report)) == report)
        config.answers.count = nil
        config.limitOutputs = 1
        let single = try DiversityMeasurement.run(outputs(7, kinds: 60), config: config)
        #expect(
            DiversityTable.text(single).contains("distinct_k, utility_k, distinct_ngrams_1: 10 of 10 inputs left out of the mean per input")
        )
        config.plan.perInput = false
        #expect(try !DiversityTable.text(DiversityMeasurement.run(outputs(7, kinds: 60), config: config)).contains("left out of the mean"))
    }

    @Test("every metric of answers has an interval, a gap, a paired difference and a length-controlled form")
    func comparisons() throws {
        var config = config
        config.metrics = ["distinct_k", "utility_k", "effective_semantic_diversity", "pass_at_k", "best_reward_at_k", "reference_coverage"]
        config.lengthControl = true
        let (first, second) = (outputs(3, kinds: 8), outputs(4, kinds: 60))
        let gap = try DiversityMeasurement.run(
            [DiversitySystem("s", first, outOfDistribution: outputs(5, kinds: 60, inputs: 7))], config: config)
        let pair = try DiversityMeasurement.run([DiversitySystem("a", first), DiversitySystem("b", second)], config: config)
        for results in [gap, pair] {
            #expect(results.parts[0].report.metrics.count == 12)
            for entry in results.comparisons[0].comparison.metrics {
                let interval = try #require(entry.perInput, "\(entry.name)")
                #expect(interval.low <= interval.mean && interval.mean <= interval.high)
            }
        }
        let distinct = try #require(pair.comparisons[0].comparison.metrics.first { $0.name == "distinct_k" })
        #expect(distinct.perInput.map { $0.high < 0 } == true && distinct.acrossInputs.map { $0.mean < 0 } == true)
        let data = try JSONEncoder().encode(pair.parts[0].report)
        #expect(try JSONDecoder().decode(DiversityReport.self, from: data) == pair.parts[0].report)
        // reports of earlier versions know nothing of these options
        var old = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        var oldConfig = try #require(old["config"] as? [String: Any])
        oldConfig["answers"] = nil
        old["config"] = oldConfig
        let decoded = try JSONDecoder().decode(DiversityReport.self, from: JSONSerialization.data(withJSONObject: old))
        #expect(decoded.config.answers == AnswerOptions())
    }

    @Test("references that are measured themselves cover nothing")
    func referencesAsOutputs() throws {
        var config = config
        config.metrics = ["all"]
        config.useReferences = true
        #expect(try DiversityMeasurement.run(outputs(1, kinds: 9), config: config).withoutModel.contains("reference_coverage"))
    }
}
