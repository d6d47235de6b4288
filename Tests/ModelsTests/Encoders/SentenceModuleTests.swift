import Foundation
import Formats
import Models
import Tensor
import Testing
import _TestSupport

/// The modules behind an encoder, against torch and sentence-transformers; see make_sentence.py and make_architectures.py beside the
/// fixtures.
@Suite struct SentenceModuleTests {
    @Test func functionsAreThoseOfTorch() throws {
        let tensors = try Fixtures.safetensors("encoders/sentence/activations.safetensors")
        let x = try #require(tensors["x"]).tensor
        for function in TorchActivation.allCases {
            let expected = try #require(tensors[function.rawValue]).values
            for (found, (at, expected)) in zip(function(x).values, zip(x.values, expected)) {
                #expect(abs(Double(found) - expected) <= 2e-6 * max(1, abs(expected)), "\(function)(\(at)): \(found), \(expected)")
            }
        }
        #expect(tensors.count == TorchActivation.allCases.count + 1)
    }

    /// Qwen3-Embedding's form: the last token's state, normalised; EmbeddingGemma's: the mean, two matrices, normalised.
    @Test("decoders with modules", arguments: ["qwen3-embedding", "gemma3-embedding"])
    func decoders(_ name: String) throws {
        struct Expected: Decodable {
            struct Text: Decodable { let ids: [Int32] }
            let texts: [Text]
        }
        let inputs = try Fixtures.json(Expected.self, from: "encoders/\(name)/expected.json").texts.map { EncoderInput(ids: $0.ids) }
        let expected = try #require(try Fixtures.safetensors("encoders/\(name)/expected.safetensors")["embeddings"]).tensor
        let encoder = try SentenceEncoder.load(Fixtures.url("encoders/\(name)"))
        #expect(encoder.width == expected.shape[1] && encoder.pooling == [name.hasPrefix("qwen") ? .last : .mean])
        let vectors = try encoder.embeddings(of: inputs)
        expectSmallError(vectors, expected, 1e-5, name)
        // Matryoshka: the first channels of the same vectors, which are not normalised again
        let short = try SentenceEncoder.load(Fixtures.url("encoders/\(name)"), dimension: 7)
        #expect(short.width == 7)
        #expect(try short.embeddings(of: inputs).values == vectors.columns(0..<7).values)
    }

    @Test func dimensionsThatAreNotThere() throws {
        for dimension in [0, -1, 25] {
            let error = #expect(throws: EncoderError.self) {
                try SentenceEncoder.load(Fixtures.url("encoders/bert"), dimension: dimension)
            }
            #expect(error?.description.contains("1 to 24") == true)
        }
    }

    /// A plain folder of a language model: its last state, as sentence-transformers takes it.
    @Test func plainFolders() throws {
        try withFolder("qwen3-embedding", [:]) { folder in
            try FileManager.default.removeItem(at: folder.appendingPathComponent("modules.json"))
            #expect(try SentenceEncoder.load(folder).pooling == [.mean])
            var configuration = try ModelFolder(folder).configuration()
            configuration["architectures"] = ["Qwen3ForCausalLM"]
            try configuration.write(to: folder.appendingPathComponent("config.json"))
            #expect(try SentenceEncoder.load(folder).pooling == [.last])
            configuration["is_causal"] = false
            try configuration.write(to: folder.appendingPathComponent("config.json"))
            #expect(try SentenceEncoder.load(folder).pooling == [.mean])
        }
    }

    private static let dense = #""in_features": 12, "out_features": 20, "bias": false"#

    /// What a folder asks for and is not here is said in one line, with the file.
    @Test(arguments: [
        ("functions", "2_Dense/config.json", "{\(dense), \"activation_function\": \"torch.nn.modules.activation.Softmax\"}", "Softmax"),
        ("functions", "2_Dense/config.json", "{\(dense), \"activation_function\": \"my.code.ReLU\"}", "my.code.ReLU"),
        ("functions", "2_Dense/config.json", "{\(dense), \"activation_function\": null}", "activation_function"),
        ("functions", "2_Dense/config.json", "{\(dense), \"module_input_name\": \"token_embeddings\"}", "module_input_name"),
        ("functions", "2_Dense/config.json", "{\"in_features\": 13, \"out_features\": 20}", "in_features"),
        ("functions", "2_Dense/config.json", "{\"in_features\": 12, \"out_features\": 20, \"bias\": true}", "linear.bias"),
        ("functions", "2_Dense/config.json", "{\(dense), \"use_residual\": true}", "residual.weight"),
        ("functions", "3_Dense/config.json", "{\"in_features\": 20, \"out_features\": 10, \"bias\": false}", "linear.bias"),
        ("functions", "2_Dense/config.json", "[]", "2_Dense/config.json"),
        ("poolings", "2_LayerNorm/config.json", "{\"dimension\": 71}", "dimension"),
        ("poolings", "2_LayerNorm/config.json", "{}", "dimension"),
        ("poolings", "3_Normalize/config.json", "{\"module_output_name\": \"other\"}", "module_output_name"),
        ("poolings", "1_Pooling/config.json", "{\"pooling_mode\": \"mean\", \"pooling\": 1}", "pooling"),
        ("poolings", "sentence_bert_config.json", "{\"max_seq_length\": -3}", "max_seq_length"),
        ("poolings", "sentence_bert_config.json", "{\"query_expansion\": {\"strategy\": \"fixed\"}}", "query_expansion"),
        ("poolings", "sentence_bert_config.json", "{\"tokenizer_name_or_path\": \"bert\"}", "tokenizer_name_or_path"),
        ("poolings", "sentence_bert_config.json", "{\"transformer_task\": \"fill-mask\"}", "fill-mask"),
        ("poolings", "sentence_bert_config.json", "{\"model_args\": {\"rotary_scaling_factor\": 2}}", "rotary_scaling_factor"),
        ("poolings", "sentence_bert_config.json", "{\"tokenizer_args\": {\"truncation_side\": \"left\"}}", "truncation_side"),
        ("poolings", "sentence_bert_config.json", "{\"config_args\": {\"num_hidden_layers\": 1}}", "num_hidden_layers"),
        ("poolings", "sentence_bert_config.json", "{\"processing_kwargs\": {\"text\": {\"truncation\": \"only_second\"}}}", "only_second"),
        ("poolings", "sentence_bert_config.json", "{\"processing_kwargs\": {\"max_length\": 3}}", "max_length"),
        (
            "poolings", "sentence_bert_config.json",
            #"{"modality_config": {"text": {"method": "forward", "method_output_name": "pooler_output"}}, "module_output_name": "x"}"#,
            "pooler_output"
        ),
        (
            "poolings", "sentence_bert_config.json",
            #"{"modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}, "message": {}}}"#, "message"
        ),
        ("poolings", "config_sentence_transformers.json", "{\"model_type\": \"SparseEncoder\"}", "SparseEncoder"),
        ("poolings", "config_sentence_transformers.json", "{\"truncate_dim\": 0}", "truncate_dim"),
        ("poolings", "config_sentence_transformers.json", "{\"truncate_dim\": \"5\"}", "truncate_dim"),
    ])
    func refusals(name: String, file: String, text: String, word: String) throws {
        try withFolder("sentence/\(name)", [file: text]) { folder in
            let error = #expect(throws: (any Error).self) { try SentenceEncoder.load(folder) }
            let message = error.map { "\($0)" } ?? ""
            #expect(message.contains(word) && message.contains(folder.path) && !message.contains("\n"), "\(message)")
        }
    }

    /// The other modules of sentence-transformers, each by its name.
    @Test(arguments: [
        "BoW", "CLIPModel", "CNN", "LSTM", "StaticEmbedding", "WeightedLayerPooling", "WordEmbeddings", "WordWeights", "Router", "Asym",
        "MultiVectorMask", "SpladePooling", "Pooling", "Transformer",
    ])
    func otherModules(_ kind: String) throws {
        func modules(_ kinds: [String]) -> String {
            "["
                + kinds.map {
                    "{\"path\": \"\($0 == "Transformer" ? "" : "1_Pooling")\", \"type\": \"sentence_transformers.models.\($0)\"}"
                }
                .joined(separator: ",") + "]"
        }
        let lists = [["Transformer", "Pooling", kind]] + (kind == "Transformer" ? [] : [[kind, "Pooling"]])
        for list in lists {
            try withFolder("sentence/poolings", ["modules.json": modules(list)]) { folder in
                let error = #expect(throws: EncoderError.self) { try SentenceEncoder.load(folder) }
                #expect(error?.description.contains(kind) == true && error?.description.contains("modules.json") == true)
            }
        }
    }

    private func withFolder(_ name: String, _ files: [String: String], _ body: (URL) throws -> Void) throws {
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("model")
            try FileManager.default.copyItem(at: Fixtures.url("encoders/\(name)"), to: folder)
            for (path, text) in files {
                let url = folder.appendingPathComponent(path)
                try? FileManager.default.removeItem(at: url)
                try Data(text.utf8).write(to: url)
            }
            try body(folder)
        }
    }
}
