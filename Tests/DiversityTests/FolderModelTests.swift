import Diversity
import Foundation
import Testing
import _TestSupport

/// Encoders and inference models of folders, from text to number, against Transformers and sentence-transformers.
@Suite struct FolderModelTests {
    private struct Expected: Decodable {
        struct Pair: Decodable {
            let first: Int
            let second: Int
            let limit: Int
            let ids: [Int32]
        }
        let pairs: [Pair]
        let probabilities: [[Double]]
    }

    private let texts: [String]

    init() throws { texts = try Fixtures.json([String].self, from: "encoders/texts.json") }

    /// bert: mean pooling, normalised, cut to 12 tokens; roberta: two poolings, a dense layer, lower case, cut to 16.
    @Test("embeddings", arguments: ["bert", "roberta"])
    func embeddings(_ name: String) throws {
        let encoder = try FolderSentenceEncoder(Fixtures.url("encoders/\(name)"))
        let expected = try #require(try Fixtures.safetensors("encoders/\(name)/expected.safetensors")["embeddings"])
        let width = expected.shape[1]
        #expect(expected.shape == [texts.count, width] && width == (name == "bert" ? 24 : 16))
        for (index, vector) in try encoder.embeddings(of: texts).enumerated() {
            let vector = try #require(vector)
            let row = expected.values[index * width..<(index + 1) * width]
            #expect(
                vector.count == width && zip(vector, row).allSatisfy { abs(Double($0) - $1) < 1e-5 }, "\(texts[index])")
        }
    }

    @Test("inference", arguments: ["bert", "roberta"])
    func inference(_ name: String) throws {
        let model = try FolderEntailmentModel(Fixtures.url("encoders/\(name)"))
        let expected = try Fixtures.json(Expected.self, from: "encoders/\(name)/expected.json")
        let whole = expected.pairs.indices.filter { expected.pairs[$0].ids.count < expected.pairs[$0].limit }
        #expect(whole.count >= 3)
        let pairs = whole.map { index in
            EntailmentPair(premise: texts[expected.pairs[index].first], hypothesis: texts[expected.pairs[index].second])
        }
        for (found, index) in zip(try model.probabilities(of: pairs), whole) {
            let row = expected.probabilities[index]
            #expect(abs(found.entailment - row[name == "bert" ? 0 : 2]) < 1e-5)
            #expect(abs(found.neutral - row[1]) < 1e-5)
            #expect(abs(found.contradiction - row[name == "bert" ? 2 : 0]) < 1e-5)
        }
    }

    @Test func metricsOverFolders() throws {
        var config = DiversityConfig()
        config.metrics = ["sent_bert_from_sim", "embedding_vendi_score", "nli_from_sim", "nli_sample_from_sim"]
        let models = DiversityModels(
            encoder: try FolderSentenceEncoder(Fixtures.url("encoders/bert")),
            entailment: try FolderEntailmentModel(Fixtures.url("encoders/roberta")))
        let input = DiversityInput(outputs: [Array(texts[0..<4]), Array(texts[4..<8]), [texts[9], texts[9]]])
        let report = try DiversityMeasurement.run(input, config: config, models: models)
        #expect(report.metrics.map(\.name) == config.metrics && report.withoutModel.isEmpty)
        let embedding = try #require(report["sent_bert_from_sim"]?.values.perInput?.values)
        try #require(embedding.count == 3)
        let ofDifferent = try #require(embedding[0])
        let ofEqual = try #require(embedding[2])
        #expect(abs(ofEqual) < 1e-6, "two equal texts have no diversity")
        #expect(ofDifferent > 0.01)
    }

    /// A text that no model can read makes the run fail.
    @Test func aFailingModelFailsTheRun() throws {
        struct Failure: Error {}
        struct Broken: TextEncoder {
            let name = "broken"
            func embeddings(of texts: [String]) throws -> [[Float]?] { throw Failure() }
        }
        var config = DiversityConfig()
        config.metrics = ["averaged_distinct_ngrams", "sent_bert_from_sim"]
        #expect(throws: DiversityError.metricFailed(name: "sent_bert_from_sim", reason: "Failure()")) {
            try DiversityMeasurement.run(
                DiversityInput(outputs: [["a", "b"]]), config: config, models: DiversityModels(encoder: Broken()))
        }
    }
}
