import Data
import Diversity
import Foundation
import Testing
import _TestSupport

/// Which texts the published code measures, against numbers worked out by hand; see Tests/Fixtures/original/make_original.py.
@Suite struct OriginalSelectionTests {
    private struct Numbers: Decodable {
        struct Diversity: Decodable {
            let inputs: [String: [String]]
            let references: [String: String]
            let limited, referencePerInput, simulatedOverall, simulatedFirst: Double
        }
        let diversity: Diversity
    }

    private static func load() throws -> (numbers: Numbers.Diversity, input: DiversityInput) {
        let numbers = try Fixtures.json(Numbers.self, from: "original/original.json").diversity
        let best = ["b": 0, "a": 1, "c": 1]
        return (
            numbers,
            DiversityInput(
                ["b", "a", "c"].map { name in
                    .init(
                        input: name,
                        outputs: (numbers.inputs[name] ?? []).enumerated().map {
                            .init($0.element, reward: $0.offset == best[name] ? 1 : 0)
                        }, reference: numbers.references[name])
                })
        )
    }

    private func measure(_ input: DiversityInput, _ change: (inout DiversityConfig) -> Void) throws -> DiversityReport.Entry {
        var config = DiversityConfig()
        config.metrics = ["averaged_distinct_ngrams"]
        config.selectsAsOriginal = true
        change(&config)
        return try #require(try DiversityMeasurement.run(input, config: config)["averaged_distinct_ngrams"])
    }

    @Test("a limit keeps the first inputs by their text, with all outputs; by default the first outputs of every input")
    func limit() throws {
        let (numbers, input) = try Self.load()
        expectClose([try #require(try measure(input) { $0.limitOutputs = 2 }.values.overall)], [numbers.limited], relative: 1e-12)
        var config = DiversityConfig()
        config.limitOutputs = 1
        #expect(try input.selecting(config).groups.map(\.outputs.count) == [1, 1, 1])
        config.selectsAsOriginal = true
        #expect(try input.selecting(config).groups.map(\.input) == ["a"])
        #expect(try input.selecting(config).groups[0].outputs.count == 2)
    }

    @Test("a reference by itself has a value")
    func references() throws {
        let (numbers, input) = try Self.load()
        let found = try measure(input) { $0.useReferences = true }
        expectClose([try #require(found.values.perInput).mean.mean], [numbers.referencePerInput], relative: 1e-12)
        #expect(
            try measure(input) {
                $0.useReferences = true
                $0.selectsAsOriginal = false
            }.values.perInput == nil)
    }

    @Test("simulated outputs make the overall and the first outputs, too")
    func simulation() throws {
        let (numbers, input) = try Self.load()
        let found = try measure(input) {
            $0.plan.simulatedBestOfN = 2
            $0.plan.simulatesEverySet = true
        }.values
        expectClose(
            [try #require(found.overall), try #require(found.overallSingleOutput)], [numbers.simulatedOverall, numbers.simulatedFirst],
            relative: 1e-12)
        let plain = try measure(input) { $0.plan.simulatedBestOfN = 2 }.values
        #expect(plain.overall != found.overall && plain.perInput == found.perInput)
    }

    @Test("a table counts once for each sample of an input")
    func tables() {
        let rows = ["p", "q"].flatMap { id in (0..<3).map { SampleRow(id: id, input: "in \(id)", response: "\(id)\($0)") } }
        let more = [SampleRow(id: "p", input: "in p", response: "p3")]
        func texts(_ maximum: Int, _ counts: Bool) -> [[String]] {
            DiversityInput(tables: [rows, more], maximumTables: maximum, countsSamples: counts).groups.map { $0.outputs.map(\.text) }
        }
        #expect(texts(2, true) == [["p0", "p1"], ["q0", "q1"]])
        #expect(texts(4, true) == [["p0", "p1", "p2", "p3"], ["q0", "q1", "q2"]])
        #expect(texts(1, false) == [["p0", "p1", "p2"], ["q0", "q1", "q2"]])
    }
}
