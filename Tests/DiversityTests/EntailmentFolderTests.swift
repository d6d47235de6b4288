import Diversity
import Formats
import Foundation
import Models
import Testing
import _TestSupport

/// A DeBERTa-v3 classifier with a Unigram tokenizer whose labels have no names, against Transformers; see make_sentence.py.
@Suite struct EntailmentFolderTests {
    private struct Expected: Decodable {
        let first: String
        let second: String
        let ids: [Int32]
        let types: [Int32]
        let probabilities: [Double]
    }

    private static let folder = Fixtures.url("encoders/sentence/nli")
    private static let labels = ["neutral", "Contradiction", "ENTAILMENT"]

    private func pairs() throws -> [Expected] { try Fixtures.json([Expected].self, from: "encoders/sentence/nli/expected.json") }

    @Test func probabilitiesAreThoseOfTransformers() throws {
        let expected = try pairs()
        #expect(expected.count == 14 && expected.contains { $0.ids.count == 30 } && expected.contains { $0.types.contains(1) })
        let model = try FolderEntailmentModel(Self.folder, labels: Self.labels)
        let found = try model.probabilities(of: expected.map { EntailmentPair(premise: $0.first, hypothesis: $0.second) })
        for (found, row) in zip(found, expected) {
            let error = zip([found.neutral, found.contradiction, found.entailment], row.probabilities).map { abs($0 - $1) }.max()
            #expect(error ?? 1 < 1e-5, "\(row.first) | \(row.second): \(found)")
        }
    }

    @Test(
        "labels without names",
        arguments: [
            (nil, "with --nli-labels"), (["contradiction", "entailment"], "has 2"),
            (["contradiction", "neutral", "entails"], "entailment"),
            (["neutral", "neutral", "entailment"], "contradiction"), (["a", "contradiction", "neutral", "entailment"], "has 4"),
        ] as [([String]?, String)])
    func labels(_ given: [String]?, word: String) throws {
        let error = #expect(throws: EncoderError.self) { try FolderEntailmentModel(Self.folder, labels: given) }
        let message = error?.description ?? ""
        #expect(message.contains(word) && message.contains("nli/config.json") && !message.contains("\n"), "\(message)")
        if given == nil { #expect(message.contains("LABEL_0, LABEL_1, LABEL_2")) }
    }

    /// The order is that of id2label, however its labels are written; other labels may stand beside them.
    @Test func orderOfTheLabels() throws {
        let pair = EntailmentPair(premise: "the dog", hypothesis: "mother")
        let expected = try FolderEntailmentModel(Self.folder, labels: Self.labels).probabilities(of: [pair])
        try withFolder(["0": "NEUTRAL", "2": "Entailment", "1": " contradiction "]) { folder in
            let found = try FolderEntailmentModel(folder).probabilities(of: [pair])
            #expect(found == expected)
        }
        for labels in [["0": "entailment", "1": "entailment", "2": "neutral"], ["0": "yes", "1": "no", "2": "neutral"]] as [JSONValue] {
            try withFolder(labels) { folder in
                let error = #expect(throws: EncoderError.self) { try FolderEntailmentModel(folder) }
                #expect(error?.description.contains("--nli-labels") == true)
            }
        }
    }

    /// Zero-shot classifiers know nothing of contradiction.
    @Test func twoLabels() throws {
        try withFolder(["0": "entailment", "1": "not_entailment"], rows: 2) { folder in
            for labels in [nil, ["contradiction", "neutral", "entailment"], ["entailment", "contradiction"]] as [[String]?] {
                let error = #expect(throws: EncoderError.self) { try FolderEntailmentModel(folder, labels: labels) }
                #expect(error?.description.contains("entailment, not_entailment") == true)
                #expect(error?.description.contains("the labels contradiction, neutral and entailment") == true)
            }
        }
    }

    @Test func labelsThatDoNotExcludeEachOther() throws {
        try withFolder(["0": "neutral", "1": "contradiction", "2": "entailment"], more: ("problem_type", "multi_label_classification")) {
            let folder = $0
            let error = #expect(throws: EncoderError.self) { try FolderEntailmentModel(folder) }
            #expect(error?.description.contains("problem_type") == true)
        }
    }

    /// Metrics, and the measurements of each input and of all, ask for the same pairs.
    @Test func everyPairIsClassifiedOnce() throws {
        let texts = try Fixtures.json([String].self, from: "encoders/sentence/texts.json")
        let model = try FolderEntailmentModel(Self.folder, labels: Self.labels)
        var config = DiversityConfig()
        config.metrics = ["nli_from_sim"]
        config.nliPairs = nil
        let input = DiversityInput(outputs: [Array(texts[12..<16])])
        let models = DiversityModels(entailment: model)
        let first = try DiversityMeasurement.run(input, config: config, models: models)
        // four texts in both directions
        #expect(model.classifiedPairs == 12 && model.rememberedPairs == 12)
        let second = try DiversityMeasurement.run(input, config: config, models: models)
        #expect(model.classifiedPairs == 12)
        #expect(first["nli_from_sim"]?.values.perInput?.values == second["nli_from_sim"]?.values.perInput?.values)

        let pairs = texts.prefix(5).flatMap { a in texts.prefix(5).map { EntailmentPair(premise: a, hypothesis: $0) } }
        let once = try model.probabilities(of: pairs + pairs)
        #expect(model.classifiedPairs == 12 + 25 && Array(once.prefix(25)) == Array(once.suffix(25)))
        #expect(try model.probabilities(of: pairs.reversed()) == once.prefix(25).reversed())
        #expect(model.classifiedPairs == 12 + 25)
    }

    /// Texts that look alike are different texts; a full memory is emptied, and answers stay the same.
    @Test func theMemoryIsBounded() throws {
        let texts = ["caf\u{E9}", "cafe\u{301}", "a", "b", "", "the dog"]
        let pairs = texts.flatMap { a in texts.map { EntailmentPair(premise: a, hypothesis: $0) } }
        let expected = try FolderEntailmentModel(Self.folder, labels: Self.labels).probabilities(of: pairs)
        for capacity in [0, 1, 7, 36] {
            let model = try FolderEntailmentModel(Self.folder, labels: Self.labels, capacity: capacity)
            for start in stride(from: 0, to: pairs.count, by: 5) {
                let end = min(start + 5, pairs.count)
                let found = try model.probabilities(of: Array(pairs[start..<end]))
                #expect(zip(found, expected[start..<end]).allSatisfy { abs($0.entailment - $1.entailment) < 1e-6 })
                #expect(model.rememberedPairs <= capacity)
            }
            #expect(model.classifiedPairs == 36)
        }
    }

    /// The fixture with other labels.
    private func withFolder(
        _ labels: JSONValue, rows: Int = 3, more: (key: String, value: JSONValue)? = nil, _ body: (URL) throws -> Void
    ) throws {
        try withTemporaryFolder { parent in
            let original = ModelFolder(Self.folder)
            var configuration = try original.configuration()
            configuration["id2label"] = labels
            if let more { configuration[more.key] = more.value }
            let store = try original.weights()
            let tensors = try store.names.map { name in
                let tensor = try store.tensor(name)
                guard name.hasPrefix("classifier."), rows < 3 else { return WritableTensor(tensor) }
                let shape = [rows] + tensor.shape.dropFirst()
                return WritableTensor(name, shape: shape, values: Array(try store.floats(of: name).prefix(shape.reduce(1, *))))
            }
            let folder = parent.appendingPathComponent("model")
            try ModelFolder.save(to: folder, configuration: configuration, tensors: tensors, tokenizer: original)
            try body(folder)
        }
    }
}
