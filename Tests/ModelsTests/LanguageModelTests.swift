import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Loading and saving whole models.
@Suite struct LanguageModelTests {
    @Test("the number of parameters is known before a model is made", arguments: [false, true])
    func parameterCount(_ yes: Bool) throws {
        let settings = LlamaConfiguration(
            vocabularySize: 37, hiddenSize: 24, intermediateSize: 20, layerCount: 3, heads: 6, keyHeads: 2, headDim: 8,
            tiesEmbeddings: yes, attentionBias: yes, mlpBias: !yes)
        let model = try Llama(settings, weights: RandomWeights(generator: Philox(seed: 1)))
        #expect(settings.parameterCount == Double(model.parameterCounts.total))
    }

    @Test("what is saved loads with the same bits, configuration and head", arguments: ModelFixture.all)
    func roundTrip(_ name: String) throws {
        let fixture = try ModelFixture(name)
        try withTemporaryFolder { folder in
            let target = folder.appendingPathComponent("model")
            try fixture.model.save(to: target, tokens: SpecialTokens(begin: 1, end: 2, padding: 0))
            let again = try LanguageModel.load(target)
            #expect(again.decoder.configuration() == fixture.model.decoder.configuration())
            for (a, b) in zip(again.decoder.parameters, fixture.model.decoder.parameters) {
                #expect(a.name == b.name && a.value.isIdentical(to: b.value), "\(a.name)")
            }
            let heads = (try #require(again.head), try #require(fixture.model.head))
            #expect(zip(heads.0.parameters, heads.1.parameters).allSatisfy { $0.value.isIdentical(to: $1.value) })
            let configuration = try ModelFolder(target).configuration()
            // the ends that the folder names stay
            let end = fixture.model.endTokens.first.map { JSONValue(Int($0)) } ?? JSONValue(2)
            #expect(configuration["pad_token_id"] == JSONValue(0) && configuration["eos_token_id"] == end)
            #expect(configuration["use_cache"] == fixture.model.source?["use_cache"], "unknown keys survive")
            #expect(try ModelFolder(target).generationConfiguration()?["eos_token_id"] == end)
        }
    }

    @Test("generation defaults, keys of Transformers 5 and tokenizer files come along")
    func carriedAlong() throws {
        let fixture = try ModelFixture("llama-v5-config")
        try withTemporaryFolder { parent in
            let source = parent.appendingPathComponent("source")
            try FileManager.default.copyItem(at: fixture.folder, to: source)
            let defaults: JSONValue = [
                "do_sample": true, "temperature": 0.6, "eos_token_id": [2, 5], "bos_token_id": 9,
            ]
            try defaults.write(to: source.appendingPathComponent("generation_config.json"))
            try Data("merges".utf8).write(to: source.appendingPathComponent("merges.txt"))
            let target = parent.appendingPathComponent("target")
            let model = try LanguageModel.load(source)
            try model.save(
                to: target, tokens: SpecialTokens(begin: 1, end: 2), as: .bfloat16, tokenizer: ModelFolder(source))
            let folder = ModelFolder(target)
            #expect(
                try folder.generationConfiguration()
                    == ["do_sample": true, "temperature": 0.6, "eos_token_id": [2, 5], "bos_token_id": 1])
            let configuration = try folder.configuration()
            #expect(configuration["dtype"] == "bfloat16" && configuration["torch_dtype"] == nil)
            #expect(configuration["rope_parameters"] == fixture.model.source?["rope_parameters"])
            #expect(try folder.tokenizerFiles.map(\.lastPathComponent) == ["merges.txt"])
            #expect(try LanguageModel.load(target).decoder.configuration() == model.decoder.configuration())
        }
    }

    @Test("half precision keeps the head exact")
    func halfPrecision() throws {
        let model = LanguageModel(decoder: try TinyModel.llama(), head: TinyModel.head())
        try withTemporaryFolder { folder in
            let target = folder.appendingPathComponent("model")
            try model.save(to: target, as: .bfloat16)
            #expect(try ModelFolder(target).configuration()["torch_dtype"] == .string("bfloat16"))
            let again = try LanguageModel.load(target, usesTanh: true)
            let head = try #require(again.head)
            #expect(head.usesTanh && head.weight.value.isIdentical(to: TinyModel.head().weight.value))
            for (a, b) in zip(again.decoder.parameters, model.decoder.parameters) {
                expectClose(a.value, b.value, relative: 1.0 / 256, absolute: 0, label: a.name)
                #expect(a.value.values.allSatisfy { $0.bitPattern & 0xffff == 0 })
            }
        }
    }

    @Test("a tanh on the head is saved with it, and read unless the caller knows better")
    func activation() throws {
        let wide = TinyModel.head()
        try withTemporaryFolder { folder in
            for (name, usesTanh) in [("with", true), ("without", false)] {
                let target = folder.appendingPathComponent(name)
                let own = ValueHead(weight: wide.weight.value, bias: 0.5, normalisation: 0.1, normalisationStd: 2, usesTanh: usesTanh)
                let source: JSONValue? = usesTanh ? nil : try ModelFolder(folder.appendingPathComponent("with")).configuration()
                try LanguageModel(decoder: try TinyModel.llama(), head: own, source: source).save(to: target)
                #expect(try ModelFolder(target).configuration()["value_head_activation"] == (usesTanh ? .bool(true) : nil))
                #expect(try LanguageModel.load(target).head?.usesTanh == usesTanh)
                #expect(try LanguageModel.loadRewardModel(target).head.usesTanh == usesTanh)
                for said in [true, false] {
                    #expect(try LanguageModel.load(target, usesTanh: said).head?.usesTanh == said)
                    #expect(try LanguageModel.loadRewardModel(target, usesTanh: said).head.usesTanh == said)
                }
            }
        }
    }

    @Test("a folder without lm_head gets a fresh one, and says so")
    func freshProjection() throws {
        let fixture = try ModelFixture("llama-gqa")
        try withTemporaryFolder { folder in
            let model = folder.appendingPathComponent("model")
            let tensors = fixture.model.decoder.parameters.filter { $0.name != "lm_head.weight" }.map { parameter in
                WritableTensor(parameter.name, shape: parameter.value.shape.dimensions) { body in
                    try parameter.value.withUnsafeBufferPointer(body)
                }
            }
            try ModelFolder.save(
                to: model, configuration: fixture.model.decoder.configuration(), tensors: tensors)
            var notes: [String] = []
            let loaded = try LanguageModel.load(model) { notes.append($0) }
            #expect(notes.count == 1 && notes[0].contains("lm_head.weight") && notes[0].contains("FRESH"))
            #expect(loaded.head == nil && loaded.hasFreshProjection)
            let deviation = (loaded.decoder.projection.value.sumOfSquares() / 768).squareRoot()
            #expect(abs(deviation - 0.02) < 0.004)
            #expect(throws: ModelError.freshHead(folder: model.path)) { try LanguageModel.loadRewardModel(model) }
        }
        let silent = try LanguageModel.load(fixture.folder) { Issue.record("unexpected note: \($0)") }
        #expect(silent.head != nil)
        #expect(try LanguageModel.loadRewardModel(fixture.folder).decoder.shape.layerCount == 3)
    }

    @Test("configurations that cannot be built are named")
    func badConfigurations() throws {
        func build(_ changes: [(String, JSONValue?)]) throws {
            var configuration = try TinyModel.llama().configuration()
            for (key, value) in changes { configuration[key] = value }
            _ = try ModelFamily.builtIn.build(
                ConfigurationReader(configuration), weights: RandomWeights(generator: Philox(seed: 0)))
        }
        try build([])
        func expectError(_ expected: ModelError, _ changes: [(String, JSONValue?)]) {
            #expect(throws: expected) { try build(changes) }
        }
        expectError(.unknownFamily("mamba", known: ModelFamily.builtIn.map(\.modelType).sorted()), [("model_type", "mamba")])
        expectError(.configuration(key: "model_type", problem: "is missing"), [("model_type", nil)])
        expectError(.configuration(key: "hidden_size", problem: "is missing"), [("hidden_size", nil)])
        expectError(.configuration(key: "vocab_size", problem: "is not a whole number"), [("vocab_size", "40")])
        expectError(.configuration(key: "vocab_size", problem: "must be between 1 and 2³¹ − 1"), [("vocab_size", JSONValue(0))])
        expectError(.unsupported("hidden_act 'gelu' in a LLaMA model"), [("hidden_act", "gelu")])
        expectError(
            .configuration(key: "num_key_value_heads", problem: "must divide num_attention_heads (4)"),
            [("num_key_value_heads", JSONValue(3))])
        expectError(
            .configuration(key: "head_dim", problem: "is 5; rotary positions need an even number"),
            [("head_dim", JSONValue(5))])
        // what is left out has LLaMA's own value
        try build([("num_key_value_heads", nil), ("head_dim", nil), ("rms_norm_eps", .null), ("rope_scaling", nil)])
    }

    @Test("weights that do not fit are named")
    func badWeights() throws {
        let fixture = try ModelFixture("llama-gqa")
        let folder = fixture.folder
        try withTemporaryFolder { target in
            let copy = target.appendingPathComponent("model")
            try FileManager.default.copyItem(at: folder, to: copy)
            var configuration = try ModelFolder(copy).configuration()
            configuration["intermediate_size"] = JSONValue(25)
            try configuration.write(to: copy.appendingPathComponent("config.json"))
            #expect(throws: CheckpointError.self) { try LanguageModel.load(copy) }
            configuration["intermediate_size"] = JSONValue(24)
            configuration["num_hidden_layers"] = JSONValue(4)
            try configuration.write(to: copy.appendingPathComponent("config.json"))
            #expect(throws: CheckpointError.self) { try LanguageModel.load(copy) }
        }
    }
}
