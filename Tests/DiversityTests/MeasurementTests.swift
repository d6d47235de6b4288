import Data
import Diversity
import Eval
import Formats
import Foundation
import Testing
import _TestSupport

@Suite struct MeasurementTests {
    private func system(_ seed: UInt64, kinds: Int, inputs: Int = 24, outputs: Int = 6) -> DiversityInput {
        var random = Draws(seed: seed)
        return DiversityInput(
            outputs: (0..<inputs).map { i in
                (0..<outputs).map { _ in
                    "topic\(i) "
                        + (0..<10).map { _ in "w\(Int.random(in: 0..<kinds, using: &random))" }.joined(separator: " ")
                }
            })
    }

    @Test func allMeasuresWhatItCanAndNamesTheRest() throws {
        let report = try DiversityMeasurement.run(system(1, kinds: 50))
        #expect(report.metrics.count == 19 && report.inputs == 24 && report.outputs == 144)
        #expect(
            report.withoutModel == [
                "sent_bert_from_sim", "embedding_vendi_score", "openai_from_sim", "nli_from_sim", "nli_sample_from_sim", "utility_k",
                "semantic_entropy", "semantic_entropy_by_likelihood", "effective_semantic_diversity", "pass_at_k", "best_reward_at_k",
                "reference_coverage",
            ])
        for entry in report.metrics {
            #expect(entry.values.perInput?.values.count == 24, "\(entry.name)")
            #expect(entry.values.acrossInputs?.interval != nil, "\(entry.name)")
            #expect((entry.values.overall != nil) == (entry.name != "distinct_k"), "\(entry.name)")
        }
        #expect(report["ead_averaged_distinct_ngrams"]?.values.perInput != nil)
        #expect(report.flatValues.count == 18 * 6 + 4)
        #expect(try DiversityMeasurement.run(system(1, kinds: 50)) == report)
    }

    @Test func namesAreExact() throws {
        var config = DiversityConfig()
        config.metrics = ["ead_averaged_distinct_ngrams"]
        #expect(
            try DiversityMeasurement.run(system(1, kinds: 50), config: config).metrics.map(\.name) == config.metrics)
        config.metrics = ["distinct", "self_bleu"]
        let error = #expect(throws: DiversityError.self) { try config.validate() }
        #expect(error == .unknownMetrics(["distinct"], known: ["all"] + MetricCatalogue.names))
        #expect(error?.description.contains("averaged_distinct_ngrams, ead_averaged_distinct_ngrams") == true)
        config.metrics = ["nli_from_sim"]
        #expect(
            throws: DiversityError.modelMissing(metric: "nli_from_sim", model: "a natural language inference model")
        ) {
            try DiversityMeasurement.run(system(1, kinds: 50), config: config)
        }
        for name in MetricCatalogue.names {
            #expect(try MetricCatalogue.names(chosenBy: [name, name, "length_controlled_" + name]).count == 2)
        }
        #expect(Set(MetricCatalogue.names).count == 32)
    }

    @Test func everyMetricReportsUnderItsCatalogueName() throws {
        let models = DiversityModels(encoder: LetterCounts(), remoteEncoder: LetterCounts(), entailment: overlapModel)
        var config = DiversityConfig()
        config.lengthControl = true
        config.answers.qualityThreshold = 1
        var known = KnownFacts()
        (known.hasRewards, known.hasLogProbs, known.hasReferences) = (true, true, true)
        let (metrics, missing) = try MetricCatalogue.metrics(config, models: models, commonLength: 3, known: known)
        #expect(missing.isEmpty)
        // what lies between systems is no metric of a set
        let names = MetricCatalogue.names.filter { $0 != "inter_model_similarity" }
        #expect(metrics.map(\.name) == names.flatMap { [$0, "length_controlled_" + $0] })
    }

    @Test(
        arguments: [
            { $0.limitOutputs = 0 }, { $0.plan.draws = 0 }, { $0.vocabularySize = 0 }, { $0.plan.simulatedBestOfN = 0 },
            { $0.vendiOrder = VendiOrder(-1) }, { $0.resamples = 0 }, { $0.commonLength = 0 }, { $0.metrics = [] },
            { $0.plan.overallSample = 1 }, { $0.plan.jackknifeGroups = 1 }, { $0.nliSamples = 0 },
            { $0.maximumTables = 0 }, { $0.answers.count = 0 }, { $0.answers.patience = 0 }, { $0.answers.patience = 1.5 },
            { $0.answers.levels = [.nan] }, { $0.answers.qualityThreshold = .infinity }, { $0.answers.coverageThreshold = 1.5 },
            { $0.answers.equivalenceThreshold = 0.5 }, { ($0.answers.equivalence, $0.answers.equivalenceThreshold) = (.entailment, 0.5) },
            { ($0.answers.equivalence, $0.answers.equivalenceThreshold) = (.ngrams, -0.5) },
            { ($0.answers.equivalence, $0.answers.equivalenceThreshold) = (.embeddings, 2) },
        ] as [@Sendable (inout DiversityConfig) -> Void])
    func optionsAreChecked(change: @Sendable (inout DiversityConfig) -> Void) {
        var config = DiversityConfig()
        change(&config)
        #expect(throws: DiversityError.self) { try config.validate() }
    }

    @Test func reportsRoundTripThroughJSON() throws {
        var config = DiversityConfig()
        config.vendiOrder = VendiOrder(.infinity)
        config.metrics = ["vendi_score", "length_controlled_self_bleu"]
        let report = try DiversityMeasurement.run(system(2, kinds: 30), config: config)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(DiversityReport.self, from: data) == report)
        #expect(VendiOrder("x") == nil && VendiOrder("2")?.value == 2)
    }

    @Test func comparisonSeesTheLessDiverseSystem() throws {
        let wide = try DiversityMeasurement.run(system(3, kinds: 200))
        let narrow = try DiversityMeasurement.run(system(4, kinds: 8))
        let comparison = try DiversityComparison(wide, narrow)
        #expect(comparison.metrics.count == 19)
        for entry in comparison.metrics
        where ["ead_averaged_distinct_ngrams", "vendi_score", "self_bleu"].contains(entry.name) {
            let perInput = try #require(entry.perInput)
            let across = try #require(entry.acrossInputs)
            #expect(entry.higherIsMoreDiverse ? perInput.low > 0 : perInput.high < 0, "\(entry.name)")
            #expect(entry.higherIsMoreDiverse ? across.low > 0 : across.high < 0, "\(entry.name)")
        }
        let same = try DiversityComparison(wide, wide)
        #expect(same.metrics.allSatisfy { $0.perInput == Interval(mean: 0, low: 0, high: 0) && $0.overall ?? 0 == 0 })
        let other = try DiversityMeasurement.run(system(3, kinds: 200, inputs: 20))
        #expect(throws: DiversityError.self) { try DiversityComparison(wide, other) }
        var config = DiversityConfig()
        config.seed = 5
        let reseeded = try DiversityMeasurement.run(system(3, kinds: 200), config: config)
        #expect(throws: DiversityError.self) { try DiversityComparison(wide, reseeded) }
    }

    /// With 8 inputs the jackknife sees 8 of the 16 draws. Two systems that differ in one output that none of those holds have equal
    /// changes: the interval of their difference then is as wide as the draws differ, not empty with a star.
    @Test func aDifferenceThatTheJackknifeDoesNotSeeIsNoCertainty() throws {
        func texts(_ changed: Int?) throws -> DiversityReport {
            let rows = (0..<8).flatMap { input in
                (0..<16).map { output in
                    let words = (0..<6).map { "w\(input)x\(output)x\($0)" }.joined(separator: " ")
                    return SampleRow(
                        id: "\(input)", input: "input \(input)", response: input == 0 && output == changed ? "same same same" : words)
                }
            }
            var config = DiversityConfig()
            config.metrics = ["averaged_distinct_ngrams"]
            return try DiversityMeasurement.run(DiversityInput(tables: [rows]), config: config)
        }
        let all = try texts(nil)
        let changes = try #require(all["averaged_distinct_ngrams"]?.values.acrossInputs).leaveOutChanges
        var found = 0
        for output in 0..<16 {
            let other = try texts(output)
            let across = try #require(other["averaged_distinct_ngrams"]?.values.acrossInputs)
            let difference = try #require(DiversityComparison(all, other).metrics.first?.acrossInputs)
            guard across.leaveOutChanges == changes, difference.mean != 0 else { continue }
            found += 1
            #expect(difference.low < difference.mean && difference.mean < difference.high)
            // it is in one draw or two of sixteen, which may be none in others
            #expect(difference.contains(0), "\(difference)")
            let interval = try #require(across.interval)
            #expect(interval.low < across.mean)
        }
        #expect(found > 0)
    }

    /// Other inputs, and fewer of them, out of distribution.
    @Test func theGapResamplesBothSetsOfInputs() throws {
        let inside = try DiversityMeasurement.run(system(3, kinds: 200))
        let outside = try DiversityMeasurement.run(system(4, kinds: 8, inputs: 20))
        let gap = try DiversityComparison(inDistribution: inside, outOfDistribution: outside)
        #expect(gap.metrics.count == 19)
        let entry = try #require(gap.metrics.first { $0.name == "ead_averaged_distinct_ngrams" })
        let (a, b) = (try #require(inside[entry.name]?.values), try #require(outside[entry.name]?.values))
        let perInput = try #require(entry.perInput)
        let (own, other) = (try #require(a.perInput?.mean), try #require(b.perInput?.mean))
        #expect(isClose(perInput.mean, own.mean - other.mean))
        #expect(perInput.low > 0 && perInput.low < perInput.mean && perInput.mean < perInput.high)
        let across = try #require(entry.acrossInputs)
        let (first, second) = (try #require(a.acrossInputs?.interval), try #require(b.acrossInputs?.interval))
        #expect(isClose(across.mean, first.mean - second.mean))
        let reach = pow(first.high - first.mean, 2) + pow(second.high - second.mean, 2)
        #expect(isClose(pow(across.high - across.mean, 2), reach, 1e-6))
        #expect(throws: DiversityError.self) { try DiversityComparison(inside, outside) }
        let lines = DiversityTable.csv(gap).split(separator: "\n")
        #expect(lines.count == 20)
        #expect(lines.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 9 })
        #expect(DiversityTable.text(gap).contains("] *"))
    }

    @Test func readsListsAndLines() throws {
        let list =
            #"[{"output": ["a", "b"], "reward": [1, 2.5]}, {"output": "c", "input": "p"}, {"output": "d", "input": "p"}]"#
        let fromList = try DiversityInput(json: Foundation.Data(list.utf8), name: "f.json")
        #expect(fromList.groups.map { $0.outputs.map(\.text) } == [["a", "b"], ["c", "d"]])
        #expect(fromList.groups[0].outputs.map(\.reward) == [1, 2.5] && fromList.groups[1].input == "p")
        let lines = """
            {"id": "1", "input": "q", "response": "x", "reference": "r", "reward": 0.5, "kl": 3}

            {"id": "2", "input": "q", "response": "y", "reference": "s", "reward": null}
            """
        let fromLines = try DiversityInput(json: Foundation.Data(lines.utf8), name: "t.jsonl")
        #expect(
            fromLines.groups == [.init(input: "q", outputs: [.init("x", reward: 0.5), .init("y")], references: ["r", "s"])])
        var config = DiversityConfig()
        config.useReferences = true
        #expect(try fromLines.selecting(config).groups[0].outputs == [.init("r")])
        #expect(throws: DiversityError.self) { try fromList.selecting(config) }
        config.useReferences = false
        config.limitOutputs = 1
        #expect(try fromLines.selecting(config).groups[0].outputs.map(\.text) == ["x"])
    }

    @Test(arguments: [
        (
            "{\"output\": \"a\"}\n{\"output\": 3}\n",
            "f:2: output: not of the expected type; expected objects with output, input, reward"
        ),
        ("{\"output\": \"a\"}\n{oops\n", #"f:2: not valid JSON: expected a key, found 'o', at column 2 ("{oops")"#),
        (
            #"{"input": "q", "output": "a", "reward": NaN}"#,
            "f:1: reward is NaN, which is not a JSON number; remove the field or set a finite number"
        ),
        (
            #"[{"output": "a", "reward": 1}, {"output": ["a", "b"], "reward": [1, -Infinity]}]"#,
            "f: object 2: reward is a list with -Infinity, which is not a JSON number; remove the field or set a finite number"
        ),
        (
            "{\"output\": \"a\"}\n{\"output\": \"b \\ud83d\"}",
            #"f:2: not valid JSON: an unpaired surrogate (a \u escape for half a character), at column 15, in "output" ("{"output": "b \ud83d"}")"#
        ),
        (
            "{\"output\": \"a\"}\n{\"output\": \"b\u{1}\"}",
            #"f:2: not valid JSON: a string has an unescaped control character, at column 14, in "output" ("{"output": "b\u{1}"}")"#
        ),
        (
            "{\"output\": \"a\", \"reward\": 3e38}\n{\"output\": \"b\", \"reward\": -1e308}",
            "f:2: the reward -1e+308 is out of range; expected at most ±3.4028235e+38"
        ),
        ("[1]", "f: object 1: not of the expected type; expected objects with output, input, reward"),
        ("[{\"input\": \"a\"}]", "f: object 1: output is missing"),
        ("[]", "f: there are no outputs in the file"), ("", "f: there are no outputs in the file"),
        ("{\"output\": [\"a\", \"b\"], \"reward\": [1]}", "f:1: 1 rewards for 2 outputs"),
    ])
    func badFilesAreNamed(text: String, message: String) {
        let error = #expect(throws: DiversityError.self) {
            try DiversityInput(json: Foundation.Data(text.utf8), name: "f")
        }
        #expect(error?.description == message)
    }

    /// What alpaca_eval keeps: `instruction` is the input.
    @Test func readsFilesOfAlpacaEval() throws {
        let rows = [
            #"{"dataset": "koala", "instruction": "p", "output": "a", "generator": "m"}"#,
            #"{"dataset": "koala", "instruction": "q", "output": "b", "generator": "m"}"#,
            #"{"dataset": "koala", "instruction": "p", "output": "c", "generator": "n", "input": ""}"#,
            #"{"instruction": "p", "output": "d", "input": "x"}"#, #"{"instruction": "q", "output": "e", "input": "x"}"#,
        ]
        let expected: [DiversityInput.Group] = [
            .init(input: "p", outputs: [.init("a"), .init("c")]), .init(input: "q", outputs: [.init("b")]),
            .init(input: "p\n\nx", outputs: [.init("d")]), .init(input: "q\n\nx", outputs: [.init("e")]),
        ]
        for text in [rows.joined(separator: "\n"), "[" + rows.joined(separator: ",\n") + "]"] {
            #expect(try DiversityInput(json: Foundation.Data(text.utf8), name: "f").groups == expected)
        }
    }

    @Test func formsThatSayTheSameAreReadAlike() throws {
        let expected = [DiversityInput.Group(input: "q", outputs: [.init("a", reward: 1), .init("b", reward: 2)])]
        let pretty = "{\n  \"input\": \"q\",\n  \"output\": [\n    \"a\",\n    \"b\"\n  ],\n  \"reward\": [1, 2]\n}"
        let lines = "{\"input\": \"q\", \"output\": \"a\", \"reward\": 1}\n{\"input\": \"q\", \"output\": \"b\", \"reward\": 2.0}"
        let texts = [
            pretty, "[\(pretty)]", pretty.replacing("\n", with: "\r\n"), pretty.replacing("\n", with: "\r"), lines,
            lines.replacing("\n", with: "\r\n"), lines.replacing("\n", with: "\r"), lines + "\n\n",
            lines.replacing("1}", with: "1, \"x\": NaN}"),
            lines.replacing("1}", with: "7, \"reward\": 1}"),
        ]
        for text in texts + texts.map({ "\u{feff}" + $0 }) {
            #expect(try DiversityInput(json: Foundation.Data(text.utf8), name: "f").groups == expected, "\(text.debugDescription)")
        }
        try withTemporaryFolder { folder in
            for (number, text) in texts.enumerated() {
                let file = folder.appendingPathComponent("\(number).JSON")
                try Foundation.Data(("\u{feff}" + text).utf8).write(to: file)
                #expect(try DiversityInput(contentsOf: file).groups == expected)
            }
        }
    }

    /// Two inputs that look the same and have other bytes are two.
    @Test func normalFormsAreKeptApart() throws {
        let text = "{\"input\": \"\u{e9}\", \"output\": \"a\"}\n{\"input\": \"e\u{301}\", \"output\": \"b\"}"
        #expect(try DiversityInput(json: Foundation.Data(text.utf8), name: "f").groups.count == 2)
    }

    @Test(.timeLimit(.minutes(1))) func onlyRegularFilesAreRead() throws {
        try withTemporaryFolder { folder in
            let pipe = folder.appendingPathComponent("pipe.json")
            #expect(mkfifo(pipe.path, 0o600) == 0)
            for url in [pipe, URL(fileURLWithPath: "/dev/zero"), folder] {
                let error = #expect(throws: FormatError.self) { try DiversityInput(contentsOf: url) }
                #expect(error?.description.contains("expected a file") == true, "\(error as Any)")
            }
        }
    }

    @Test func tablesAreGroupedByInput() {
        func row(_ input: String, _ response: String, _ reference: String?, _ reward: Double? = nil) -> SampleRow {
            SampleRow(id: "0", input: input, response: response, reference: reference, reward: reward)
        }
        let tables = [
            [row("p", "a", "r", 1), row("q", "b", nil)], [row("q", "c", "s"), row("p", "d", "t", 2)],
            [row("z", "e", nil)],
        ]
        let input = DiversityInput(tables: tables, maximumTables: 2)
        #expect(
            input.groups == [
                .init(input: "p", outputs: [.init("a", reward: 1), .init("d", reward: 2)], references: ["r", "t"]),
                .init(input: "q", outputs: [.init("b"), .init("c")], reference: "s"),
            ])
        #expect(DiversityInput(tables: tables).groups.count == 3)
    }

    @Test func unreadableFilesAreNamed() {
        #expect(throws: DiversityError.unreadableInput(path: "/no/such/file")) {
            try DiversityInput(contentsOf: URL(fileURLWithPath: "/no/such/file"))
        }
    }

    @Test func tablesHaveOneLinePerMetric() throws {
        var config = DiversityConfig()
        config.metrics = ["averaged_distinct_ngrams", "self_bleu"]
        config.plan.overall = false
        let report = try DiversityMeasurement.run(DiversityInput(outputs: [["a b", "a c"], ["d"]]), config: config)
        let lines = DiversityTable.csv(report).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 4 && lines[3].isEmpty)
        for line in lines.dropLast() {
            #expect(line.split(separator: ",", omittingEmptySubsequences: false).count == DiversityTable.columns.count)
        }
        #expect(lines[1].hasPrefix("averaged_distinct_ngrams,higher,0.35,0.35,0.35,0.0,1,"))
        let text = DiversityTable.text(report)
        #expect(text.contains("metric                    more diverse"))
        #expect(text.hasSuffix("2 inputs, 3 outputs, seed 0"))
        #expect(!text.split(separator: "\n").contains { $0.hasSuffix(" ") })
    }

    @Test func failedEncodingsAreLeftOutAndCounted() throws {
        struct Partial: TextEncoder {
            let name = "partial"
            func embeddings(of texts: [String]) -> [[Float]?] {
                texts.map { $0 == "bad" ? nil : [Float($0.utf8.count), 1] }
            }
        }
        var config = DiversityConfig()
        config.metrics = ["openai_from_sim"]
        let input = DiversityInput(outputs: [["a", "bad", "abc"], ["bad", "x"]])
        let report = try DiversityMeasurement.run(input, config: config, models: .init(remoteEncoder: Partial()))
        #expect(report.metrics[0].excludedTexts == 2)
        #expect(report.metrics[0].values.perInput?.values.map { $0 == nil } == [false, true])
        #expect(DiversityTable.text(report).contains("openai_from_sim: 2 of 5 texts left out"))
    }
}
