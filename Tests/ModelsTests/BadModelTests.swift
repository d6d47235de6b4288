import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Model folders in which something is wrong, and released ones in which something is only unusual.
@Suite struct BadModelTests {
    /// A fixture's folder with its configuration and tensors changed.
    private func load(
        _ name: String, configuration changes: [(String, JSONValue?)] = [],
        tensors change: (inout [WritableTensor]) throws -> Void = { _ in }, note: (String) -> Void = { _ in }
    ) throws -> LanguageModel {
        try withTemporaryFolder { parent in
            let original = ModelFolder(Fixtures.url("models/\(name)"))
            var configuration = try original.configuration()
            for (key, value) in changes { configuration[key] = value }
            let store = try original.weights()
            var tensors = try store.names.map { WritableTensor(try store.tensor($0)) }
            try change(&tensors)
            let folder = try ModelFolder.save(
                to: parent.appendingPathComponent("model"), configuration: configuration, tensors: tensors)
            return try LanguageModel.load(folder.url, note: note)
        }
    }

    // MARK: Spellings of released checkpoints

    @Test("the released GPT-2 has names without a prefix, and its causal masks among its weights")
    func releasedGPT2() throws {
        let expected = try ModelFixture("gpt2").model.decoder
        let found = try load("gpt2") { tensors in
            let store = try ModelFolder(Fixtures.url("models/gpt2")).weights()
            tensors = try store.names.map {
                WritableTensor(try store.tensor($0), name: $0.hasPrefix("transformer.") ? String($0.dropFirst(12)) : $0)
            }
            tensors.append(WritableTensor("h.0.attn.bias", shape: [1, 1, 2, 2], values: [1, 0, 1, 1]))
            tensors.append(WritableTensor("h.0.attn.masked_bias", shape: [], values: [-10_000]))
        }
        for (a, b) in zip(found.decoder.parameters, expected.parameters) {
            #expect(a.name == b.name && a.value.isIdentical(to: b.value))
        }
    }

    @Test("a tied model may hold its projection a second time")
    func tiedCopies() throws {
        let model = try load("opt-pre-norm", configuration: [("tie_word_embeddings", nil)]) {
            $0.append(WritableTensor("lm_head.weight", shape: [48, 16], values: [Float](repeating: 1, count: 768)))
        }
        #expect(model.decoder.isTied && !model.hasFreshProjection)
        #expect(model.decoder.projection === model.decoder.embeddingParameters[0])
    }

    // MARK: Weights

    @Test("missing and surplus weights are named")
    func missingAndSurplus() throws {
        for (name, missing) in [
            ("opt-pre-norm", "model.decoder.layers.1.fc1.bias"), ("gpt2", "transformer.wpe.weight"),
            ("llama-gqa", "model.norm.weight"), ("llama-gqa", "v_head.linear.bias"),
        ] {
            let error = checkpointError { try load(name) { $0.removeAll { $0.name == missing } } }
            guard case .missingTensor(missing, let file) = error else {
                Issue.record("\(missing): \(String(describing: error))")
                continue
            }
            #expect(file.hasSuffix("model.safetensors"))
        }
        for (name, surplus) in [
            ("opt-pre-norm", "model.decoder.layers.2.fc1.bias"), ("gpt2", "transformer.h.0.attn.q_attn.weight"),
            ("llama-gqa", "model.layers.0.self_attn.q_proj.bias"),
        ] {
            let error = checkpointError {
                try load(name) { $0.append(WritableTensor(surplus, shape: [1], values: [0])) }
            }
            guard case .surplusTensor(surplus, _) = error else {
                Issue.record("\(surplus): \(String(describing: error))")
                continue
            }
        }
    }

    @Test("the value head that TRL puts on a policy is not read, which is noted once; it is no reward model")
    func foreignHead() throws {
        for name in ["gpt2", "opt-pre-norm"] {
            var notes: [String] = []
            let expected = try ModelFixture(name).model.decoder
            let found = try load(name) { tensors in
                tensors.append(WritableTensor("v_head.summary.weight", shape: [1, 16], values: [Float](repeating: 0.5, count: 16)))
                tensors.append(WritableTensor("v_head.summary.bias", shape: [1], values: [0.25]))
            } note: {
                notes.append($0)
            }
            #expect(notes.filter { $0.contains("v_head.summary.weight") && $0.contains("ignored") }.count == 1, "\(notes)")
            for (a, b) in zip(found.decoder.parameters, expected.parameters) {
                #expect(a.name == b.name && a.value.isIdentical(to: b.value))
            }
        }
    }

    @Test("numbers that are not finite refuse where they are read, and only there")
    func nonFiniteConfiguration() throws {
        let bad = JSONValue.number("Infinity")
        let expected = try ModelFixture("gpt2").model.decoder
        let found = try load("gpt2", configuration: [("router_z_loss", bad), ("task_specific_params", [bad, .number("NaN")])])
        #expect(zip(found.decoder.parameters, expected.parameters).allSatisfy { $0.value.isIdentical(to: $1.value) })
        for (name, key) in [("gpt2", "layer_norm_epsilon"), ("gpt2", "n_embd"), ("llama-gqa", "rope_theta"), ("llama-gqa", "rms_norm_eps")]
        {
            var text = ""
            do { _ = try load(name, configuration: [(key, bad)]) } catch { text = "\(error)" }
            #expect(text.contains(key) && text.contains("Infinity") && !text.contains("\n"), "\(key): \(text)")
        }
    }

    @Test("weights of another shape, type or without sense are named")
    func badWeights() throws {
        func error(_ name: String, _ tensor: WritableTensor) -> CheckpointError? {
            checkpointError { try load(name) { $0 = $0.map { $0.name == tensor.name ? tensor : $0 } } }
        }
        func zeros(_ name: String, _ shape: [Int]) -> WritableTensor {
            WritableTensor(name, shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
        }
        // a matrix of GPT-2 lies as [inputs, outputs]
        #expect(
            error("gpt2", zeros("transformer.h.0.attn.c_attn.weight", [48, 16]))
                == .wrongShape(name: "transformer.h.0.attn.c_attn.weight", got: [48, 16], expected: [16, 48]))
        // positions have two rows more than there are positions
        #expect(
            error("opt-pre-norm", zeros("model.decoder.embed_positions.weight", [224, 16]))
                == .wrongShape(name: "model.decoder.embed_positions.weight", got: [224, 16], expected: [226, 16]))
        #expect(
            error("llama-gqa", zeros("v_head.linear.weight", [1, 15]))
                == .wrongShape(name: "v_head.linear.weight", got: [1, 15], expected: [1, 16]))
        #expect(
            error("llama-gqa", zeros("v_head.normalisation", [2]))
                == .wrongShape(name: "v_head.normalisation", got: [2], expected: [1]))
        guard
            case .badTensor(_, "v_head.normalisation_std", _) = error(
                "llama-gqa", zeros("v_head.normalisation_std", [1]))
        else {
            Issue.record("a deviation of 0")
            return
        }
        var values = [Float](repeating: 1, count: 16)
        values[5] = .nan
        let nan = error("gpt2", WritableTensor("transformer.ln_f.weight", shape: [16], values: values))
        guard case .notFinite(let file, "transformer.ln_f.weight", 5, "nan")? = nan else {
            Issue.record("a weight that is not finite: \(String(describing: nan))")
            return
        }
        #expect(nan?.description.hasPrefix("\(file): tensor ") == true && file.hasSuffix("/model.safetensors"))
        let integers = WritableTensor("transformer.ln_f.bias", shape: [16], elementType: .int32) { sink in
            try [Int32](repeating: 1, count: 16).withUnsafeBytes(sink)
        }
        guard case .wrongElementType("transformer.ln_f.bias", "I32", _) = error("gpt2", integers) else {
            Issue.record("integers")
            return
        }
    }

    @Test("half-precision weights are read as they are", arguments: ["opt-post-norm-projected", "gpt2", "llama-gqa"])
    func halfPrecision(_ name: String) throws {
        let fixture = try ModelFixture(name)
        for type in [ElementType.bfloat16, .float16] {
            try withTemporaryFolder { parent in
                let folder = parent.appendingPathComponent("model")
                try fixture.model.save(to: folder, as: type)
                let again = try LanguageModel.load(folder)
                for (a, b) in zip(again.decoder.parameters, fixture.model.decoder.parameters) {
                    expectClose(
                        a.value, b.value, relative: type == .bfloat16 ? 1.0 / 256 : 1.0 / 2048, absolute: 1e-7,
                        label: a.name)
                }
                #expect(
                    try #require(again.head).weight.value.isIdentical(to: #require(fixture.model.head).weight.value))
            }
        }
    }

    // MARK: Configurations

    @Test("a configuration of another family names what the weights lack")
    func anotherFamily() throws {
        let gpt2 = try ModelFolder(Fixtures.url("models/gpt2")).configuration()
        let opt = try ModelFolder(Fixtures.url("models/opt-pre-norm")).configuration()
        for (configuration, missing) in [(gpt2, "transformer.wte.weight"), (opt, "model.decoder.embed_tokens.weight")] {
            try withTemporaryFolder { parent in
                let folder = parent.appendingPathComponent("model")
                try FileManager.default.copyItem(at: Fixtures.url("models/llama-gqa"), to: folder)
                try configuration.write(to: folder.appendingPathComponent("config.json"))
                let error = checkpointError { try LanguageModel.load(folder) }
                guard case .missingTensor(missing, _) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
            }
        }
    }

    @Test("configurations that cannot be built are named")
    func badConfigurations() {
        func expectError(_ expected: ModelError, _ name: String, _ key: String, _ value: JSONValue?) {
            #expect(throws: expected) { try load(name, configuration: [(key, value)]) }
        }
        let known = "(supported: relu, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, silu, swish)"
        expectError(
            .unsupported("activation_function 'mish' \(known)"), "opt-pre-norm", "activation_function", "mish")
        expectError(.unsupported("activation_function 'tanh' \(known)"), "gpt2", "activation_function", "tanh")
        expectError(
            .unsupported("cross-attention (add_cross_attention) in a GPT-2 model"), "gpt2", "add_cross_attention", true)
        expectError(
            .configuration(key: "num_attention_heads", problem: "(3) must divide hidden_size (16)"), "opt-pre-norm",
            "num_attention_heads", 3)
        expectError(.configuration(key: "n_head", problem: "(5) must divide n_embd (16)"), "gpt2", "n_head", 5)
        expectError(.configuration(key: "ffn_dim", problem: "is missing"), "opt-pre-norm", "ffn_dim", nil)
        expectError(.configuration(key: "n_layer", problem: "is missing"), "gpt2", "n_layer", nil)
        expectError(
            .configuration(key: "n_layer", problem: "is 1000000000; at most 10000 is supported"), "gpt2", "n_layer",
            1_000_000_000)
        expectError(
            .configuration(key: "do_layer_norm_before", problem: "is not true or false"), "opt-pre-norm",
            "do_layer_norm_before", "yes")
        expectError(
            .configuration(key: "layer_norm_epsilon", problem: "must be a number above 0"), "gpt2",
            "layer_norm_epsilon", 0)
        for type in ["proportional", "mystery"] {
            expectError(
                .unsupported("rope scaling of type '\(type)'"), "llama-gqa", "rope_scaling",
                ["type": .string(type), "factor": 2])
        }
    }

    @Test("a context of a billion positions costs nothing until it is used")
    func largeContext() throws {
        let model = try load("llama-gqa", configuration: [("max_position_embeddings", 1_000_000_000)])
        #expect(model.decoder.alone([3, 4, 5]).shape == [3, 16])
    }

    @Test("a tokenizer with more ids than the embedding has rows is refused")
    func tooManyTokens() throws {
        let model = try ModelFixture("opt-pre-norm").model
        let folder = URL(fileURLWithPath: "/models/opt")
        try model.decoder.checkTokens(48, folder: folder)
        try model.decoder.checkTokens(41, folder: folder)
        #expect(throws: ModelError.tooManyTokens(folder: "/models/opt", tokens: 49, rows: 48)) {
            try model.decoder.checkTokens(49, folder: folder)
        }
    }

    // MARK: Damage

    /// Folders whose config.json or weights are damaged anywhere load as another model or fail with an error of ours.
    @Test("damaged folders never crash", arguments: ["llama-linear", "opt-bare", "gpt2"])
    func mutations(_ name: String) throws {
        let source = Fixtures.url("models/\(name)")
        let configuration = try bytes(of: source.appendingPathComponent("config.json"))
        let weights = try bytes(of: source.appendingPathComponent("model.safetensors"))
        var generator = SplitMix(state: 94)
        var outcomes = (loaded: 0, refused: 0)
        try withTemporaryFolder { folder in
            try Data(weights).write(to: folder.appendingPathComponent("model.safetensors"))
            for round in 0..<600 {
                // the header is where the damage is interesting
                let file = round % 3 == 0 ? "model.safetensors" : "config.json"
                let header = 8 + Int(weights[0]) + Int(weights[1]) << 8
                let damaged =
                    round % 3 == 0
                    ? mutated(Array(weights[..<header]), using: &generator) + weights[header...]
                    : mutated(configuration, using: &generator)
                try Data(damaged).write(to: folder.appendingPathComponent(file))
                if round % 3 != 0 { try Data(weights).write(to: folder.appendingPathComponent("model.safetensors")) }
                if round % 3 == 0 { try Data(configuration).write(to: folder.appendingPathComponent("config.json")) }
                do {
                    let model = try LanguageModel.load(folder)
                    #expect(model.decoder.parameters.allSatisfy { $0.value.count < 1 << 16 })
                    outcomes.loaded += 1
                } catch is CheckpointError {
                    outcomes.refused += 1
                } catch is ModelError {
                    outcomes.refused += 1
                }
            }
        }
        #expect(outcomes.loaded > 20 && outcomes.refused > 100, "\(outcomes)")
    }
}
