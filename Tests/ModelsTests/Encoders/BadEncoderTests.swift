import Formats
import Foundation
import Models
import Testing
import _TestSupport

/// Encoder folders in which something is wrong, and older ones in which something is only unusual.
@Suite struct BadEncoderTests {
    /// The tiny BERT with its files changed.
    private func withFolder(
        configuration changes: [(String, JSONValue?)] = [], files: [String: String] = [:],
        tensors change: (inout [WritableTensor]) -> Void = { _ in }, _ body: (URL) throws -> Void
    ) throws {
        try withTemporaryFolder { parent in
            let original = ModelFolder(Fixtures.url("encoders/bert"))
            var configuration = try original.configuration()
            for (key, value) in changes { configuration[key] = value }
            let store = try original.weights()
            var tensors = try store.names.map { WritableTensor(try store.tensor($0)) }
            change(&tensors)
            let folder = parent.appendingPathComponent("model")
            try ModelFolder.save(to: folder, configuration: configuration, tensors: tensors)
            for (name, text) in files {
                let file = folder.appendingPathComponent(name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file)
            }
            try body(folder)
        }
    }

    @Test("names without a prefix, norms with gamma and beta, tables of positions and heads of other tasks")
    func olderNames() throws {
        let fixture = try EncoderFixture("bert")
        let expected = try EncoderFolder.load(fixture.folder).states(of: fixture.texts)
        let store = try ModelFolder(fixture.folder).weights()
        let renamed = try store.names.map { name in
            let plain = name.hasPrefix("bert.") ? String(name.dropFirst(5)) : name
            let old = plain.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
                .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
            return WritableTensor(try store.tensor(name), name: old)
        }
        try withFolder(tensors: {
            $0 =
                renamed + [
                    WritableTensor("embeddings.position_ids", shape: [1], values: [0]),
                    WritableTensor("cls.predictions.bias", shape: [1], values: [0]),
                ]
        }) { folder in
            let encoder = try EncoderFolder.load(folder)
            #expect(encoder.states(of: fixture.texts).values == expected.values)
        }
    }

    @Test(
        arguments: [
            ("model_type", "llama"), ("position_embedding_type", "relative_key"), ("is_decoder", true),
            ("hidden_act", "mish"),
            ("num_attention_heads", 5), ("layer_norm_eps", 0), ("num_hidden_layers", "two"),
        ] as [(String, JSONValue)])
    func badConfigurations(key: String, value: JSONValue) throws {
        try withFolder(configuration: [(key, value)]) { folder in
            #expect(throws: ModelError.self) { try EncoderFolder.load(folder) }
        }
    }

    @Test func missingAndSurplusWeights() throws {
        try withFolder(configuration: [("num_hidden_layers", 1)]) { folder in
            #expect(throws: CheckpointError.self) { try EncoderFolder.load(folder) }
        }
        try withFolder(tensors: { $0.removeAll { $0.name == "classifier.weight" } }) { folder in
            _ = try EncoderFolder.load(folder)
            let error = #expect(throws: CheckpointError.self) { try SequenceClassifier.load(folder) }
            guard case .missingTensor("classifier.weight", _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test(arguments: [
        ["modules.json": "{}"], ["modules.json": "[]"],
        ["modules.json": #"[{"path": "", "type": "sentence_transformers.models.Pooling"}]"#],
        [
            "modules.json":
                #"[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "../x", "type": "sentence_transformers.models.Pooling"}]"#
        ],
        [
            "modules.json":
                #"[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "", "type": "sentence_transformers.models.CNN"}]"#
        ],
        [
            "modules.json":
                #"[{"path": "", "type": "sentence_transformers.T"}, {"path": "p", "type": "sentence_transformers.Pooling"}]"#,
            "p/config.json": "{}",
        ],
        // code that the folder brings along
        ["modules.json": #"[{"path": "", "type": "custom.Transformer"}, {"path": "p", "type": "custom.Pooling"}]"#, "p/config.json": "{}"],
        // no pooling
        ["modules.json": #"[{"path": "", "type": "sentence_transformers.models.Transformer"}]"#],
    ])
    func badModules(files: [String: String]) throws {
        try withFolder(files: files) { folder in
            let error = #expect(throws: EncoderError.self) { try SentenceEncoder.load(folder) }
            #expect(error?.description.contains("modules.json") == true)
        }
    }

    @Test func poolingThatIsNotKnown() throws {
        let modules =
            #"[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "p", "type": "sentence_transformers.models.Pooling"}]"#
        let many = "[" + Array(repeating: "\"mean\"", count: 1000).joined(separator: ",") + "]"
        for mode in ["\"median\"", "[]", many] {
            try withFolder(files: ["modules.json": modules, "p/config.json": "{\"pooling_mode\": \(mode)}"]) { folder in
                #expect(throws: ModelError.self) { try SentenceEncoder.load(folder) }
            }
        }
        try withFolder { folder in
            let encoder = try SentenceEncoder.load(folder)
            #expect(encoder.pooling == [.mean])
        }
    }

    @Test func inputsThatDoNotFit() throws {
        let encoder = try EncoderFolder.load(Fixtures.url("encoders/bert"))
        let rows = encoder.shape.vocabularySize
        #expect(throws: EncoderError.noTokens) { try encoder.check(EncoderInput(ids: [])) }
        #expect(throws: EncoderError.tooLong(tokens: 41, limit: 40)) {
            try encoder.check(EncoderInput(ids: [Int32](repeating: 1, count: 41)))
        }
        #expect(throws: EncoderError.unknownToken(rows: rows)) { try encoder.check(EncoderInput(ids: [Int32(rows)])) }
        #expect(throws: EncoderError.unknownType(rows: 2)) { try encoder.check(EncoderInput(ids: [1], types: [2])) }
        #expect(try EncoderFolder.load(Fixtures.url("encoders/roberta")).shape.contextLength == 34)
    }

    @Test func labels() throws {
        try withFolder(configuration: [("id2label", nil), ("num_labels", 3)]) { folder in
            let classifier = try SequenceClassifier.load(folder)
            #expect(classifier.labels == ["LABEL_0", "LABEL_1", "LABEL_2"])
            #expect(throws: EncoderError.noLabel("neutral", known: classifier.labels)) {
                try classifier.index(ofLabel: "neutral")
            }
        }
        // names for so many labels would fill the memory before the weights are asked
        try withFolder(configuration: [("id2label", nil), ("num_labels", 2_147_483_647)]) { folder in
            #expect(throws: ModelError.self) { try SequenceClassifier.load(folder) }
        }
        try withFolder(configuration: [("id2label", ["0": "a", "2": "b", "1": "c", "4": "d"])]) { folder in
            #expect(throws: ModelError.self) { try SequenceClassifier.load(folder) }
        }
        try withFolder(configuration: [("problem_type", "multi_label_classification")]) { folder in
            let classifier = try SequenceClassifier.load(folder)
            let input = EncoderInput(ids: [1, 2, 3])
            let logits = try classifier.logits(of: [input]).values
            let probabilities = try classifier.probabilities(of: [input])[0]
            #expect(zip(probabilities, logits).allSatisfy { abs($0 - 1 / (1 + exp(-Double($1)))) < 1e-6 })
        }
    }
}
