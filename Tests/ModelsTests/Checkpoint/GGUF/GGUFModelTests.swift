import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// GGUF files as models: weights as checkpoints have them, and what config.json would say.
struct GGUFModelTests {
    private static func url(_ name: String) -> URL { Fixtures.url("gguf/\(name).gguf") }

    // MARK: Whole models

    /// The folder that a file was converted from and the file are the same model.
    @Test(arguments: ["llama-gqa", "llama-tied-biases-llama3", "gpt2"]) func isTheModelOfItsFolder(name: String) throws {
        let folder = try LanguageModel.load(Fixtures.url("models/\(name)"))
        let file = try LanguageModel.load(Self.url(name))
        #expect(file.decoder.parameters.map(\.name) == folder.decoder.parameters.map(\.name))
        for (a, b) in zip(file.decoder.parameters, folder.decoder.parameters) {
            #expect(a.value.isIdentical(to: b.value), "\(a.name)")
        }
        let batch = TokenBatch([[1, 5, 9, 40, 3, 3, 8, 20, 31, 2, 7, 11]])
        let states = [file, folder].map { $0.decoder.hidden(batch, wanted: [0..<12], on: nil).values }
        #expect(zip(states[0], states[1]).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(file.head == nil && !file.hasFreshProjection)
        #expect(file.endTokens == [2, 5])
    }

    /// Every value of a quantised model is what `gguf.quants` and Transformers make of it; matrices of BF16 and Q8_0 stay as they are.
    @Test(arguments: ["llama-mixed.gguf", "split-00001-of-00003.gguf"]) func readsQuantisedWeights(file: String) throws {
        let expected = try SafetensorsFile(Fixtures.url("gguf/llama-mixed.safetensors"))
        let model = try LanguageModel.load(Fixtures.url("gguf/\(file)"))
        for parameter in model.decoder.parameters {
            #expect(try parameter.value.widened().values == expected.floats(of: parameter.name), "\(parameter.name)")
        }
        let narrow = model.decoder.parameters.filter { $0.value.storage.format == .bf16 }.map(\.name)
        let wanted = ["0.self_attn.o_proj", "1.self_attn.q_proj", "1.self_attn.k_proj", "1.self_attn.o_proj"]
        #expect(Set(narrow) == Set(wanted.map { "model.layers.\($0).weight" }))
        let blocks = model.decoder.parameters.filter { $0.value.storage.format == .q8 }.map(\.name)
        #expect(Set(blocks) == ["model.embed_tokens.weight", "lm_head.weight"])
        // what has been read into memory does not stay in that of the file as well
        let gate = try #require(model.decoder.parameters.first { $0.name == "model.layers.0.mlp.gate_proj.weight" })
        #expect(!gate.value.storage.isView)
    }

    @Test func readsTheOnlyFileOfAFolder() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(at: Self.url("llama-gqa"), to: folder.appendingPathComponent("any name.gguf"))
            let model = try LanguageModel.load(folder)
            #expect(model.source?["model_type"] == "llama")
            #expect(try ModelFolder(folder).weights().layout == .gguf && ModelFolder(folder).tokenizerFiles == [])
            #expect(try ModelFolder(folder).generationConfiguration()?["eos_token_id"] == [2, 5])
            // and goes back out as a folder
            let target = folder.appendingPathComponent("saved")
            try model.save(to: target)
            let again = try LanguageModel.load(target)
            #expect(again.decoder.configuration() == model.decoder.configuration() && again.endTokens == [2, 5])
            for (a, b) in zip(again.decoder.parameters, model.decoder.parameters) { #expect(a.value.isIdentical(to: b.value)) }
        }
    }

    @Test func isNoRewardModelWithoutAHead() {
        #expect(throws: ModelError.freshHead(folder: Self.url("llama-gqa").path)) {
            try LanguageModel.loadRewardModel(Self.url("llama-gqa"))
        }
    }

    // MARK: Weights

    /// The names and values of Transformers' state dicts, for families that need not be built for it.
    @Test(arguments: ["qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gptneox", "llama-mixed"])
    func hasTheWeightsOfTransformers(name: String) throws {
        let expected = try SafetensorsFile(Fixtures.url("gguf/\(name).safetensors"))
        let store = try ModelFolder(Self.url(name)).weights()
        #expect(Set(store.names) == Set(expected.names))
        for tensor in expected.tensors {
            #expect(try store.floats(of: tensor.name, shape: tensor.shape) == tensor.floats(), "\(tensor.name)")
        }
    }

    /// GPT-2's embedding lies in its file a second time, as the projection; another projection is one of its own.
    @Test func tellsATiedProjection() throws {
        let url = Self.url("gpt2")
        #expect(try ModelFolder(url).configuration()["tie_word_embeddings"] == true)
        #expect(try !ModelFolder(url).weights().contains("lm_head.weight"))
        var bytes = try bytes(of: url)
        let file = try GGUFFile(url)
        let place = try #require(file.entries.first { $0.name == "output.weight" }?.range.lowerBound)
        bytes[place] ^= 1
        let (isTied, projects) = try opening(bytes, as: "other.gguf") { url in
            let folder = ModelFolder(url)
            return (try folder.configuration()["tie_word_embeddings"], try folder.weights().contains("lm_head.weight"))
        }
        #expect(isTied == false && projects)
    }

    // MARK: Configurations

    private static let common: [String: JSONValue] = [
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 128,
        "vocab_size": 48, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
    ]

    private static let configurations: [(name: String, keys: [String: JSONValue])] = [
        (
            "qwen2",
            common.merging([
                "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "num_key_value_heads": 2, "rope_theta": 1_000_000.0,
                "tie_word_embeddings": true, "rms_norm_eps": 1e-5, "use_sliding_window": false, "hidden_act": "silu",
            ]) { $1 }
        ),
        (
            "qwen3",
            common.merging([
                "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "num_key_value_heads": 2, "rope_theta": 500_000.0,
                "tie_word_embeddings": false, "head_dim": 16, "attention_bias": false,
            ]) { $1 }
        ),
        (
            "gemma2",
            common.merging([
                "model_type": "gemma2", "architectures": ["Gemma2ForCausalLM"], "head_dim": 16, "query_pre_attn_scalar": 16,
                "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "sliding_window": 8, "rope_theta": 10_000.0,
                "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": true,
                "layer_types": ["sliding_attention", "full_attention"],
            ]) { $1 }
        ),
        (
            "gemma3",
            common.merging([
                "model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "head_dim": 16, "query_pre_attn_scalar": 16,
                "num_hidden_layers": 7, "num_key_value_heads": 1, "sliding_window": 8, "rope_theta": 1_000_000.0,
                "rope_local_base_freq": 10_000.0, "rope_scaling": ["rope_type": "linear", "factor": 8.0], "sliding_window_pattern": 6,
                "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": true, "final_logit_softcapping": .null,
                "layer_types": .array((1...7).map { $0 == 6 ? "full_attention" : "sliding_attention" }),
            ]) { $1 }
        ),
        (
            "phi3",
            common.merging([
                "model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "num_key_value_heads": 2, "rope_theta": 10_000.0,
                "tie_word_embeddings": false, "rms_norm_eps": 1e-5,
            ]) { $1 }
        ),
        (
            "gptneox",
            common.merging([
                "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "rotary_pct": 0.25, "rotary_emb_base": 10_000.0,
                "use_parallel_residual": false, "layer_norm_eps": 1e-4, "hidden_act": "gelu", "tie_word_embeddings": false,
            ]) { $1 }
        ),
        (
            "gpt2",
            [
                "model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 224, "n_inner": 64, "vocab_size": 48,
                "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
            ]
        ),
        (
            "llama-tied-biases-llama3",
            [
                "model_type": "llama", "head_dim": 8, "rope_theta": 500.0, "attention_bias": true, "mlp_bias": true,
                "tie_word_embeddings": true, "torch_dtype": nil,
            ]
        ),
    ]

    @Test(arguments: configurations.map(\.name)) func saysWhatConfigJSONWould(name: String) throws {
        let keys = try #require(Self.configurations.first { $0.name == name }?.keys)
        let configuration = try ModelFolder(Self.url(name)).configuration()
        for (key, value) in keys where value != .null || configuration[key] != nil {
            #expect(configuration[key] == value, "\(key)")
        }
        #expect(configuration["torch_dtype"] == nil && configuration["dtype"] == nil)
    }

    /// What LLaMA 3's scaling makes of frequencies tells the scaling: published sizes, and odd ones.
    @Test(arguments: [
        (128, 500_000.0, 8.0, 4.0, 8192), (64, 500_000.0, 32.0, 4.0, 8192), (8, 500.0, 8.0, 4.0, 64), (64, 10_000.0, 4.0, 3.0, 1000),
        (16, 10_000.0, 2.0, 4.0, 2048), (4, 500_000.0, 8.0, 4.0, 8192),
    ])
    func tellsLlamaScaling(dim: Int, base: Double, factor: Double, high: Double, trained: Int) throws {
        let wanted = RotarySettings(
            base: base,
            scaling: .llama3(factor: factor, lowFrequencyFactor: 1, highFrequencyFactor: high, trainedLength: trained))
        let stretched = wanted.frequencies(dim: dim, length: 1)
        let factors = zip(RotarySettings(base: base).frequencies(dim: dim, length: 1), stretched).map { Float($0 / $1) }
        let file = Self.llama(hidden: dim * 2, heads: 2, base: base, factors: factors)
        try opening(file.bytes, as: "m.gguf") { url in
            let reader = ConfigurationReader(try ModelFolder(url).configuration())
            let found = try RotarySettings(reading: reader, contextLength: 4096)
            for (a, b) in zip(found.frequencies(dim: dim, length: 1), stretched) { #expect(abs(a / b - 1) < 1e-5) }
            if dim > 16, trained == 8192 { #expect(found == wanted) }
        }
    }

    @Test func refusesOtherFactors() throws {
        let file = Self.llama(hidden: 32, heads: 2, base: 10_000, factors: [1, 2, 1, 4, 3, 8, 1, 1])
        try opening(file.bytes, as: "m.gguf") { url in
            let error = checkpointError { try ModelFolder(url).configuration() }
            #expect(error?.description.contains("\"rope_freqs.weight\": has factors of rotary frequencies that are not those") == true)
        }
    }

    // MARK: Refusals

    /// A file of architecture llama with the sizes of a model, an embedding and factors of frequencies, and nothing else.
    static func llama(
        hidden: Int, heads: Int, base: Double = 10_000, factors: [Float] = [], architecture: String = "llama",
        more: [(key: String, type: UInt32, bytes: [UInt8])] = [], leavingOut: String = ""
    ) -> TestGGUF {
        var file = TestGGUF()
        func count(_ key: String, _ value: Int) -> (String, UInt32, [UInt8]) { (key, 4, littleEndian(UInt32(value))) }
        file.pairs = [
            ("general.architecture", 8, TestGGUF.string(architecture)), count("llama.context_length", 64),
            count("llama.embedding_length", hidden), count("llama.block_count", 1), count("llama.feed_forward_length", 8),
            count("llama.attention.head_count", heads), ("llama.rope.freq_base", 6, littleEndian(Float(base).bitPattern)),
        ]
        file.pairs = file.pairs.filter { $0.key != leavingOut } + more
        file.entries = [.init("token_embd.weight", [UInt64(hidden), 2])]
        file.data = [UInt8](repeating: 0, count: hidden * 8)
        if !factors.isEmpty {
            file.data += [UInt8](repeating: 0, count: (32 - file.data.count % 32) % 32)
            file.entries.append(.init("rope_freqs.weight", [UInt64(factors.count)], offset: UInt64(file.data.count)))
            file.data += littleEndianBytes(factors)
        }
        return file
    }

    static func reason(_ file: TestGGUF, _ body: (URL) throws -> Void = { _ = try LanguageModel.load($0) }) throws -> String {
        try opening(file.bytes, as: "m.gguf") { url in
            do {
                try body(url)
                return "nothing was thrown"
            } catch let error as any Error & CustomStringConvertible where error is CheckpointError || error is ModelError {
                #expect(error.description.hasPrefix(url.path) && !error.description.contains("\n"))
                return String(error.description.dropFirst(url.path.count))
            }
        }
    }

    @Test func refusesWhatIsNotHere() throws {
        func number(_ key: String, _ value: Int) -> (key: String, type: UInt32, bytes: [UInt8]) { (key, 4, littleEndian(UInt32(value))) }
        func llama(_ more: (key: String, type: UInt32, bytes: [UInt8])...) -> TestGGUF { Self.llama(hidden: 32, heads: 2, more: more) }
        #expect(
            try Self.reason(Self.llama(hidden: 32, heads: 2, architecture: "mamba"))
                == ": general.architecture is 'mamba', which is not supported; supported are "
                + "llama, qwen2, qwen3, gemma2, gemma3, phi3, gpt2, gptneox")
        #expect(try Self.reason(TestGGUF()).contains("general.architecture is missing, so this file is not a model"))
        #expect(
            try Self.reason(Self.llama(hidden: 32, heads: 2, leavingOut: "llama.block_count")) == ": llama.block_count is missing")
        #expect(try Self.reason(llama(number("llama.expert_count", 8))).contains("mixture of experts with 8 experts (llama.expert_count)"))
        #expect(
            try Self.reason(llama(number("llama.attention.key_length", 16), number("llama.attention.value_length", 8)))
                .contains("attention values whose width differs from that of the keys"))
        #expect(try Self.reason(llama(("llama.attention.causal", 7, [0]))).contains("bidirectional attention"))
        #expect(
            try Self.reason(llama(number("llama.rope.dimension_count", 8), number("llama.attention.key_length", 16))).contains("rotation"))
        let scaled = llama(("llama.rope.scaling.type", 8, TestGGUF.string("spiral")))
        #expect(try Self.reason(scaled) == ": not supported: rope scaling of type 'spiral'")
        #expect(
            try Self.reason(llama(("llama.attention.head_count_kv", 8, TestGGUF.string("two"))))
                == ": llama.attention.head_count_kv is a string; expected a whole number")
        let varying = TestGGUF.array(4, [littleEndian(UInt32(1)), littleEndian(UInt32(2))])
        #expect(try Self.reason(llama(("llama.attention.head_count_kv", 9, varying))).contains("is an array of whole numbers"))
        // a model without layers' weights
        #expect(try Self.reason(llama()) == " has no tensor \"model.layers.0.input_layernorm.weight\"")
        var huge = Self.llama(hidden: 32, heads: 2, leavingOut: "llama.block_count")
        huge.pairs.append(("llama.block_count", 4, littleEndian(UInt32(2_000_000_000))))
        #expect(try Self.reason(huge).contains("at most 10000 is supported"))
    }

    @Test func refusesTensorsThatAModelDoesNotHave() throws {
        // the embedding of a model under a name of another family
        var bytes = try bytes(of: Self.url("llama-gqa"))
        let name = Array("blk.0.ffn_gate.weight".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
        bytes.replaceSubrange(place..<place + name.count, with: Array("blk.0.ffn_gaze.weight".utf8))
        try opening(bytes, as: "m.gguf") { url in
            #expect(
                checkpointError { try LanguageModel.load(url) }
                    == .missingTensor(name: "model.layers.0.mlp.gate_proj.weight", file: url.path))
        }
        #expect(throws: ModelError.self) {
            try LanguageModel.load(Self.url("phi3"), families: [.llama, .gpt2])
        }
    }

    /// A model from a file with too few bytes, one with other rows than heads.
    @Test func refusesRowsThatHeadsDoNotDivide() throws {
        var file = Self.llama(hidden: 32, heads: 2)
        file.entries.append(.init("blk.0.attn_q.weight", [32, 3], offset: 256))
        file.data += [UInt8](repeating: 0, count: 384)
        #expect(try Self.reason(file).contains("\"blk.0.attn_q.weight\": has the shape [3, 32], which cannot be divided among 2 heads"))
    }
}
