import Foundation
import Formats
import Models
import Tensor
import Testing
import _TestSupport

/// Tiny encoders of every family, two shapes of each and more, against Transformers; see make_architectures.py beside the fixtures.
@Suite struct EncoderArchitectureTests {
    struct Expected: Decodable {
        struct Text: Decodable {
            let ids: [Int32]
            let types: [Int32]?
        }
        let labels: [String]?
        let problem: String?
        let texts: [Text]
        let layersOf: Int
    }

    static let classifiers = [
        "deberta-v3", "deberta-v2", "deberta-absolute", "deberta-p2c", "deberta-plain", "distilbert", "distilbert-sinusoidal", "mpnet",
        "mpnet-buckets", "xlm-roberta", "xlm-roberta-types", "electra", "electra-wide", "albert", "albert-groups", "modernbert",
        "modernbert-biases", "qwen3-reward", "gemma3-classifier",
    ]
    static let embedders = ["qwen3-embedding", "gemma3-embedding"]

    private struct Fixture {
        let folder: URL
        let inputs: [EncoderInput]
        let expected: Expected
        let tensors: [String: FixtureTensor]

        init(_ name: String) throws {
            folder = Fixtures.url("encoders/\(name)")
            expected = try Fixtures.json(Expected.self, from: "encoders/\(name)/expected.json")
            tensors = try Fixtures.safetensors("encoders/\(name)/expected.safetensors")
            inputs = expected.texts.map { EncoderInput(ids: $0.ids, types: $0.types) }
        }

        func encoder() throws -> any Encoder { try EncoderFolder.load(folder, decoders: ModelFamily.builtIn) }
    }

    @Test("hidden states, alone and packed", arguments: classifiers + embedders)
    func hidden(_ name: String) throws {
        let fixture = try Fixture(name)
        let encoder = try fixture.encoder()
        for input in fixture.inputs { try encoder.check(input) }
        let together = encoder.states(of: fixture.inputs)
        var row = 0
        for (index, input) in fixture.inputs.enumerated() {
            let expected = try #require(fixture.tensors["hidden.\(index)"]).tensor
            expectSmallError(encoder.states(of: [input]), expected, 1e-5, "\(name) hidden.\(index)")
            expectSmallError(together.rows(row..<row + input.ids.count), expected, 1e-5, "\(name) packed hidden.\(index)")
            row += input.ids.count
        }
        #expect(fixture.inputs.count >= 3)
    }

    @Test("the states behind every layer", arguments: classifiers)
    func everyLayer(_ name: String) throws {
        let fixture = try Fixture(name)
        // decoders' layers have tests of their own
        guard let encoder = try fixture.encoder() as? StackedEncoder else { return }
        let input = fixture.inputs[fixture.expected.layersOf]
        let states = encoder.allStates(of: [input])
        #expect(fixture.tensors["layer.\(states.count)"] == nil)
        // the last one lies behind the final norm, where there is one
        for (index, actual) in states.dropLast().enumerated() {
            expectSmallError(actual, try #require(fixture.tensors["layer.\(index)"]).tensor, 1e-5, "\(name) layer.\(index)")
        }
    }

    @Test("logits and labels of classifiers", arguments: classifiers)
    func classifier(_ name: String) throws {
        let fixture = try Fixture(name)
        let classifier = try SequenceClassifier.load(fixture.folder)
        let logits = try classifier.logits(of: fixture.inputs)
        expectSmallError(logits, try #require(fixture.tensors["logits"]).tensor, 1e-5, "\(name) logits")
        #expect(classifier.labels == fixture.expected.labels)
        #expect(classifier.isMultiLabel == (fixture.expected.problem == "multi_label_classification" || classifier.labels.count == 1))
    }

    @Sendable private static func hasTwoSpellings(_ name: String) -> Bool {
        ["deberta-v", "modernb", "qwen3", "gemma3"].contains { name.hasPrefix($0) }
    }

    /// Transformers 4 and 5 spell some settings differently.
    @Test(
        "the older spelling of a configuration gives the same states",
        arguments: (classifiers + embedders).filter(hasTwoSpellings))
    func olderSpelling(_ name: String) throws {
        let fixture = try Fixture(name)
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("older")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (from, to) in [("config-4.json", "config.json"), ("model.safetensors", "model.safetensors")] {
                try FileManager.default.copyItem(at: fixture.folder.appendingPathComponent(from), to: folder.appendingPathComponent(to))
            }
            let older = try EncoderFolder.load(folder, decoders: ModelFamily.builtIn)
            #expect(older.states(of: fixture.inputs).values == (try fixture.encoder().states(of: fixture.inputs)).values)
        }
    }

    /// Padding, which is not there, and batches change rounding at most; bfloat16 rounds, but not the order of magnitude.
    @Test("every text by itself equals all together, in bfloat16 near that", arguments: classifiers)
    func batches(_ name: String) throws {
        let fixture = try Fixture(name)
        let classifier = try SequenceClassifier.load(fixture.folder)
        let inputs = Array(repeatElement(fixture.inputs, count: 12).joined())
        for threads in [1, 2] {
            let logits = try Compute.$threads.withValue(threads) { try classifier.logits(of: inputs) }
            for (index, input) in inputs.enumerated() where index % 5 == 0 {
                expectSmallError(logits.rows([index]), try classifier.logits(of: [input]), 1e-5, "\(name) \(index)")
            }
        }
        let encoder = classifier.encoder
        let exact = encoder.states(of: fixture.inputs)
        let rounded = Compute.$precision.withValue(.bf16) { encoder.states(of: fixture.inputs) }
        #expect(exact.values != rounded.values)
        let scale = exact.squared().values.reduce(0, +).squareRoot()
        // weights of these models are large, so that rounding grows from layer to layer
        #expect((exact - rounded).squared().values.reduce(0, +).squareRoot() < 0.1 * scale, "\(name)")
    }

    @Test("weights without a family's prefix, and heads of other tasks", arguments: ["deberta-v3", "modernbert", "albert", "mpnet"])
    func plainNames(_ name: String) throws {
        let fixture = try Fixture(name)
        let prefix = ["deberta-v3": "deberta.", "modernbert": "model.", "albert": "albert.", "mpnet": "mpnet."][name] ?? ""
        let store = try ModelFolder(fixture.folder).weights()
        let tensors = try store.names.filter { $0.hasPrefix(prefix) }.map {
            WritableTensor(try store.tensor($0), name: String($0.dropFirst(prefix.count)))
        }
        let other = ["deberta-v3": "lm_predictions", "modernbert": "decoder", "albert": "predictions", "mpnet": "lm_head"][name] ?? ""
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("base")
            let configuration = try ModelFolder(fixture.folder).configuration()
            try ModelFolder.save(
                to: folder, configuration: configuration,
                tensors: tensors + [WritableTensor("\(other).bias", shape: [1], values: [0])])
            let encoder = try EncoderFolder.load(folder)
            #expect(encoder.states(of: fixture.inputs).values == (try fixture.encoder().states(of: fixture.inputs)).values)
            try ModelFolder.save(
                to: folder, configuration: configuration, tensors: tensors + [WritableTensor("something.bias", shape: [1], values: [0])])
            #expect(throws: CheckpointError.self) { try EncoderFolder.load(folder) }
        }
    }

    /// It gives states, but nothing can be sampled from it.
    @Test func noLanguageModelSeesInBothDirections() throws {
        let error = #expect(throws: ModelError.self) { try LanguageModel.load(Fixtures.url("encoders/gemma3-embedding")) }
        #expect(error?.description.contains("use_bidirectional_attention") ?? false)
    }

    /// One line each, which names the file and the key.
    @Test(
        arguments: [
            ("deberta-v3", "pos_att_type", "p2p"), ("deberta-v3", "position_buckets", 200), ("deberta-v3", "position_buckets", 1),
            ("deberta-v2", "conv_kernel_size", 4), ("deberta-p2c", "conv_groups", 5), ("deberta-v2", "conv_act", "cube"),
            ("deberta-v3", "pooler_hidden_size", 35), ("deberta-v3", "attention_head_size", 7), ("deberta-v3", "type_vocab_size", -3),
            ("modernbert", "classifier_pooling", "max"), ("modernbert", "layer_types", ["full_attention"]),
            ("modernbert", "num_attention_heads", 24), ("modernbert", "local_attention", -1), ("albert", "num_hidden_groups", 9),
            ("mpnet", "relative_attention_num_buckets", 8), ("mpnet", "max_position_embeddings", 1), ("distilbert", "n_heads", 7),
            ("electra", "hidden_act", "cube"), ("xlm-roberta", "pad_token_id", 5000), ("xlm-roberta", "id2label", ["1": "a"]),
            ("modernbert", "model_type", "t5"), ("gemma3-classifier", "id2label", []),
        ] as [(String, String, JSONValue)])
    func badConfigurations(name: String, key: String, value: JSONValue) throws {
        let fixture = try Fixture(name)
        try withTemporaryFolder { folder in
            var configuration = try ModelFolder(fixture.folder).configuration()
            configuration[key] = value
            try Data(configuration.text.utf8).write(to: folder.appendingPathComponent("config.json"))
            try FileManager.default.copyItem(
                at: fixture.folder.appendingPathComponent("model.safetensors"), to: folder.appendingPathComponent("model.safetensors"))
            let error = #expect(throws: ModelError.self) { _ = try SequenceClassifier.load(folder) }
            let message = error.map(String.init(describing:)) ?? ""
            #expect(message.contains(folder.path) && message.contains(key) && !message.contains("\n"), "\(message)")
        }
    }
}
