import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Folders of adapters: where their base model is, and what is refused.
@Suite struct AdapterFileTests {
    private let fixture = Fixtures.url("adapters/lora")
    private let model = Fixtures.url("models/llama-gqa")

    /// A copy of an adapter's folder with its configuration and tensors changed, in a folder of a test.
    fileprivate func folder(
        _ parent: URL, of name: String = "lora", _ changes: [(String, JSONValue?)] = [], named: String = "adapter",
        tensors change: (inout [WritableTensor]) throws -> Void = { _ in }
    ) throws -> URL {
        let (original, copy) = (Fixtures.url("adapters/\(name)"), parent.appendingPathComponent(named))
        try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
        var configuration = try JSONValue(contentsOf: original.appendingPathComponent("adapter_config.json"))
        let base = configuration["base_model_name_or_path"]?.string ?? ""
        configuration["base_model_name_or_path"] = .string(original.appendingPathComponent(base).standardizedFileURL.path)
        for (key, value) in changes { configuration[key] = value }
        try configuration.write(to: copy.appendingPathComponent("adapter_config.json"))
        let store = try WeightStore(file: original.appendingPathComponent("adapter_model.safetensors"))
        var tensors = try store.names.map { WritableTensor(try store.tensor($0)) }
        try change(&tensors)
        try SafetensorsWriter().write(tensors, toFile: copy.appendingPathComponent("adapter_model.safetensors"))
        return copy
    }

    private func fault(
        _ name: String = "lora", _ changes: [(String, JSONValue?)] = [], tensors change: (inout [WritableTensor]) throws -> Void = { _ in }
    ) throws -> String {
        try withTemporaryFolder { parent in
            let folder = try folder(parent, of: name, changes, tensors: change)
            do {
                _ = try LanguageModel.load(folder)
                return "nothing was thrown"
            } catch {
                let text = "\(error)"
                #expect(!text.contains("\n") && text.count < 900)
                return text.replacingOccurrences(of: folder.path, with: "DIR")
            }
        }
    }

    // MARK: The base model

    @Test("the base is found by its whole path, from the adapter's folder, or where the caller says")
    func bases() throws {
        try withTemporaryFolder { parent in
            let expected = try LanguageModel.load(fixture).decoder
            func resolved(_ url: URL?) -> String? { url?.resolvingSymlinksInPath().path }
            func check(_ model: LanguageModel, base: URL) throws {
                #expect(try #require(model.decoder.adapter).base.hasSuffix("/\(base.lastPathComponent)"))
                #expect(resolved(URL(fileURLWithPath: model.decoder.adapter?.base ?? "")) == resolved(base))
                #expect(model.decoder.parameters.map(\.value.values) == expected.parameters.map(\.value.values))
            }
            let absolute = try folder(parent)
            try check(try LanguageModel.load(absolute), base: model)
            try FileManager.default.copyItem(at: model, to: parent.appendingPathComponent("here"))
            let relative = try folder(parent, [("base_model_name_or_path", "../here")], named: "relative")
            try check(try LanguageModel.load(relative), base: parent.appendingPathComponent("here"))
            let foreign = try folder(parent, [("base_model_name_or_path", "meta-llama/Llama-3.2-1B")], named: "foreign")
            try check(try LanguageModel.load(foreign, base: model), base: model)
            // the base's files stand for those that an adapter lacks
            #expect(try ModelFolder(absolute).configuration() == ModelFolder(model).configuration())
            #expect(resolved(try ModelFolder(absolute).adapterBase()?.url) == resolved(model))
            #expect(try ModelFolder(model).adapterBase() == nil)
            #expect(resolved(try ModelFolder(absolute).tokenizerFolder()) == resolved(model))
            try "{}".write(to: absolute.appendingPathComponent("tokenizer.json"), atomically: true, encoding: .utf8)
            #expect(try ModelFolder(absolute).tokenizerFolder() == absolute)
        }
    }

    @Test("a base that is missing, or an adapter itself")
    func missingBases() throws {
        let missing = try fault("lora", [("base_model_name_or_path", "meta-llama/Llama-3.2-1B")])
        #expect(
            missing
                == "cannot read DIR: the adapter's base model 'meta-llama/Llama-3.2-1B' was not found; pass its folder "
                + "with --adapter-base, or set base_model_name_or_path in adapter_config.json")
        #expect(try fault("lora", [("base_model_name_or_path", nil)]).contains("the adapter's base model '' was not found"))
        #expect(try fault("lora", [("base_model_name_or_path", .string(fixture.path))]).contains("is itself an adapter; merge"))
        #expect(throws: CheckpointError.self) { try LanguageModel.load(fixture, base: URL(fileURLWithPath: "/no/such/model")) }
    }

    @Test("an adapter for a model of another shape or family is refused")
    func otherModels() throws {
        let smaller = try fault("lora", [("base_model_name_or_path", .string(Fixtures.url("models/llama-tied-biases-llama3").path))])
        #expect(smaller.contains("lora_A") || smaller.contains("lora_B"), "\(smaller)")
        let other = try fault("lora", [("base_model_name_or_path", .string(Fixtures.url("models/gpt2").path))])
        #expect(other == "DIR/adapter_config.json: the adapter's targets match no projection of the model; use c_attn, c_fc, c_proj")
    }

    // MARK: Tensors

    @Test("tensors that are missing, superfluous, of another shape or not finite")
    func tensors() throws {
        let first = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
        let missing = try fault { $0.removeAll { $0.name == first } }
        #expect(missing.contains(first) && missing.contains("DIR/adapter_model.safetensors"), "\(missing)")
        for name in ["base_model.model.lm_head.lora_A.weight", "base_model.model.model.layers.0.self_attn.q_proj.lora_B.bias", "x"] {
            let surplus = try fault { $0.append(WritableTensor(name, shape: [1], values: [1])) }
            #expect(surplus.contains("'\(name)'") || surplus.contains("\(name)"), "\(surplus)")
        }
        let shape = try fault { tensors in
            let index = try #require(tensors.firstIndex { $0.name == first })
            tensors[index] = WritableTensor(first, shape: [2, 16], values: [Float](repeating: 1, count: 32))
        }
        #expect(shape.contains(first) && shape.contains("[2, 16]"), "\(shape)")
        let infinite = try fault { tensors in
            let index = try #require(tensors.firstIndex { $0.name == first })
            let extents = tensors[index].shape
            tensors[index] = WritableTensor(first, shape: extents, values: [Float](repeating: .infinity, count: extents.reduce(1, *)))
        }
        #expect(infinite.contains(first) && infinite.contains("inf"), "\(infinite)")
        // another rank than the tensors have
        #expect(try fault("lora", [("r", 3)]).contains("lora_A.weight"))
        #expect(try fault("lora-patterns", [("rank_pattern", [:])]).contains("up_proj.lora_A.weight"))
        // DoRA's lengths without DoRA, and the other way round
        #expect(try fault("dora", [("use_dora", false)]).contains("lora_magnitude_vector"))
        #expect(try fault("lora", [("use_dora", true)]).contains("lora_magnitude_vector"))
        try withTemporaryFolder { parent in
            let folder = try folder(parent)
            try FileManager.default.removeItem(at: folder.appendingPathComponent("adapter_model.safetensors"))
            do {
                _ = try LanguageModel.load(folder)
                Issue.record("an adapter without tensors was read")
            } catch { #expect("\(error)".contains("but no adapter_model.safetensors")) }
        }
    }

    // MARK: Keys

    @Test("keys that would change numbers are refused by name")
    func refusedKeys() throws {
        for (key, value) in [
            ("modules_to_save", ["lm_head"]), ("lora_bias", true), ("layer_replication", [[0, 2]]), ("alora_invocation_tokens", [1, 2]),
            ("trainable_token_indices", [3]), ("target_parameters", ["experts"]), ("use_qalora", true), ("use_bdlora", ["x": 1]),
            ("arrow_config", ["top_k": 1]), ("kasa_config", ["x": 1]), ("megatron_config", ["x": 1]), ("ensure_weight_tying", true),
            ("a_key_of_the_future", 3),
        ] as [(String, JSONValue)] {
            let text = try fault("lora", [(key, value)])
            #expect(text == "DIR/adapter_config.json: not supported: \(key) in an adapter")
            // switched off it is no reason
            #expect(try fault("lora", [(key, .null)]) == "nothing was thrown")
        }
        #expect(try fault("lora", [("a_key_of_the_future", false), ("another", [])]) == "nothing was thrown")
        #expect(try fault("lora", [("bias", "all")]).contains("adapter_config.json: not supported: trained biases in an adapter"))
        #expect(try fault("lora", [("peft_type", "IA3")]).contains("not supported: peft_type 'IA3' (only LORA)"))
        #expect(try fault("lora", [("peft_type", nil)]).contains("adapter_config.json: peft_type is missing"))
        for name in ["pissa", "pissa_niter_4", "olora", "loftq", "corda", "lora_ga"] as [JSONValue] {
            #expect(try fault("lora", [("init_lora_weights", name)]).contains("not supported: init_lora_weights \"\(name.string ?? "")\""))
        }
        for value in [false, "gaussian", "eva", "orthogonal", .null] as [JSONValue] {
            #expect(try fault("lora", [("init_lora_weights", value)]) == "nothing was thrown")
        }
    }

    @Test("values that make no sense are named with the file")
    func badValues() throws {
        func expect(_ key: String, _ value: JSONValue?, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let found = try fault("lora", [(key, value)])
            #expect(found.hasPrefix("DIR/adapter_config.json: ") && found.contains(text), "\(found)", sourceLocation: sourceLocation)
        }
        try expect("r", 0, "r must be between 1")
        try expect("r", nil, "r is missing")
        try expect("r", "8", "r is not a whole number")
        try expect("r", .number("NaN"), "r is NaN")
        try expect("lora_alpha", nil, "lora_alpha is missing")
        try expect("lora_alpha", -1, "alpha of an adapter must be above 0, not -1")
        try expect("lora_dropout", 1, "lora_dropout is 1")
        try expect("target_modules", nil, "target_modules is missing")
        try expect("target_modules", [], "target_modules is missing")
        try expect("target_modules", [1], "target_modules is not a list of strings")
        try expect("target_modules", ["c_attn"], "targets match no projection of the model; use down_proj")
        try expect("target_modules", "([", "not a supported regular expression")
        try expect("layers_to_transform", [7], "targets match no projection of the model in layers 7")
        try expect("layers_to_transform", ["0"], "layers_to_transform is not a list of integers")
        try expect("rank_pattern", ["q_proj": "4"], "q_proj is not a whole number")
        try expect("rank_pattern", ["q_proj": .null], "rank_pattern has no value for 'q_proj'")
        try expect("rank_pattern", [4], "rank_pattern is not an object")
        try expect("alpha_pattern", ["q_proj": 0], "above 0, not 0")
        try withTemporaryFolder { parent in
            let folder = try folder(parent)
            try "[]".write(to: folder.appendingPathComponent("adapter_config.json"), atomically: true, encoding: .utf8)
            #expect(throws: CheckpointError.self) { try LanguageModel.load(folder) }
        }
    }

    @Test("other spellings of the same adapter")
    func spellings() throws {
        try withTemporaryFolder { parent in
            let expected = try LanguageModel.load(fixture).decoder.adapter?.parameters.map(\.value.values)
            for (index, changes) in [
                [("target_modules", ".*self_attn\\.(q|v)_proj")], [("target_modules", ["q_proj", "self_attn.v_proj", "not_there"])],
                [("layers_to_transform", [0, 1, 2])], [("layers_to_transform", [0, 1, 2]), ("layers_pattern", "layers")],
                [("target_modules", "all-linear"), ("exclude_modules", ["k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])],
                [("fan_in_fan_out", true)], [("task_type", .null), ("inference_mode", false)],
            ].enumerated() as EnumeratedSequence<[[(String, JSONValue)]]> {
                let folder = try folder(parent, changes, named: "\(index)")
                let found = try LanguageModel.load(folder).decoder
                #expect(found.adapter?.parameters.map(\.value.values) == expected, "\(changes)")
            }
        }
    }

    // MARK: What is written

    @Test("a fresh adapter's files: keys, names and types, and the model again")
    func fresh() throws {
        try withTemporaryFolder { parent in
            let base = try LanguageModel.load(model)
            var adapted = base
            let configuration = AdapterConfiguration(rank: 4, alpha: 6.5, dropout: 0.1, layers: [1, 2], isRankStabilised: true)
            adapted.decoder = try base.decoder.adapted(by: configuration, base: model.path, using: Philox(seed: 1))
            adapted.decoder.shakeAdapter()
            let folder = parent.appendingPathComponent("new/adapter")
            try adapted.save(to: folder, tokenizer: ModelFolder(model))
            let file = try JSONValue(contentsOf: folder.appendingPathComponent("adapter_config.json"))
            let expected: [String: JSONValue] = [
                "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": .string(model.path), "r": 4, "lora_alpha": 6.5,
                "lora_dropout": 0.1, "layers_to_transform": [1, 2], "rank_pattern": [:], "alpha_pattern": [:], "use_rslora": true,
                "use_dora": false, "fan_in_fan_out": false, "bias": "none", "init_lora_weights": true, "inference_mode": true,
                "target_modules": ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
            ]
            for (key, value) in expected { #expect(file[key] == value, "\(key)") }
            #expect(Set(file.members?.map(\.key) ?? []) == Set(expected.keys))
            let again = try LanguageModel.load(folder)
            let tokens: [Int32] = [3, 9, 4, 21]
            func logits(_ decoder: any TransformerDecoder) -> Tensor { decoder.logits(decoder.alone(tokens)) }
            #expect(logits(again.decoder).isIdentical(to: logits(adapted.decoder)))
            #expect(again.decoder.adapter?.configuration.layers == [1, 2] && again.decoder.dropout.adapter == 0.1)
            let names = TemporaryFolder.names(in: folder)
            #expect(names.contains("generation_config.json") && !names.contains("config.json") && !names.contains("model.safetensors"))
            // in bfloat16, over what is there
            try again.save(to: folder, as: .bfloat16)
            let name = "base_model.model.model.layers.1.mlp.up_proj.lora_A.weight"
            #expect(try WeightStore(file: folder.appendingPathComponent("adapter_model.safetensors")).elementType(of: name) == .bfloat16)
            #expect(try LanguageModel.load(folder).decoder.adapter?.modules.count == 14)
        }
    }

    @Test("a head goes with its adapter, into classifiers and whole models", arguments: [false, true])
    func heads(usesTanh: Bool) throws {
        try withTemporaryFolder { parent in
            var reward = try LanguageModel.load(fixture)
            reward.head = TinyModel.head(width: reward.decoder.shape.headWidth, usesTanh: usesTanh)
            let folder = parent.appendingPathComponent("reward")
            try reward.save(to: folder)
            let texts: [[Int32]] = [[4, 8, 15], [16, 23, 42, 7]]
            let expected = RewardModel(reward.decoder, head: try #require(reward.head)).scores(texts)
            let again = try LanguageModel.loadRewardModel(folder)
            #expect(again.head.usesTanh == usesTanh && again.scores(texts) == expected)
            let whole = parent.appendingPathComponent("whole")
            try reward.merged().save(to: whole)
            expectClose(try LanguageModel.loadRewardModel(whole).scores(texts), expected, relative: 1e-4, absolute: 1e-5)
            guard !usesTanh else { return }
            let classifier = parent.appendingPathComponent("classifier")
            try reward.saveClassifier(to: classifier)
            expectClose(try LanguageModel.loadRewardModel(classifier).scores(texts), expected, relative: 1e-4, absolute: 1e-5)
        }
        // an adapter without a head is no reward model, unless its base has one
        let hasHead = try LanguageModel.load(model).head != nil
        if hasHead { _ = try LanguageModel.loadRewardModel(fixture) }
    }

    @Test("a GGUF file of an adapted model has the adapter in its weights")
    func gguf() throws {
        try withTemporaryFolder { parent in
            let adapted = try LanguageModel.load(fixture)
            try adapted.checkGGUF()
            let file = parent.appendingPathComponent("model.gguf")
            try adapted.saveGGUF(to: file)
            let tokens: [Int32] = [3, 9, 4, 21]
            let found = try LanguageModel.load(file).decoder
            let merged = adapted.decoder.merged()
            expectSmallError(found.logits(found.alone(tokens)), merged.logits(merged.alone(tokens)), 1e-5, "GGUF")
            // and such a file can be a base
            let folder = try folder(parent)
            try LanguageModel(decoder: adapted.decoder.withoutAdapter()).saveGGUF(to: parent.appendingPathComponent("base.gguf"))
            let decoder = try LanguageModel.load(folder, base: parent.appendingPathComponent("base.gguf")).decoder
            expectSmallError(decoder.logits(decoder.alone(tokens)), adapted.decoder.logits(adapted.decoder.alone(tokens)), 1e-5, "base")
        }
    }
}

extension AdapterFileTests {
    @Test("configurations with damaged bytes are read or refused with a typed error")
    func damagedConfigurations() throws {
        try withTemporaryFolder { parent in
            for name in ["lora", "lora-patterns", "dora-gpt2"] {
                let folder = try folder(parent, of: name, named: name)
                let file = folder.appendingPathComponent("adapter_config.json")
                let bytes = [UInt8](try Data(contentsOf: file))
                var random = Philox(seed: 11).split(name)
                for _ in 0..<150 {
                    var damaged = bytes
                    for _ in 0..<Int.random(in: 1...3, using: &random) {
                        damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(in: 32...126, using: &random)
                    }
                    try Data(damaged).write(to: file)
                    do {
                        _ = try LanguageModel.load(folder)
                    } catch {
                        #expect(error is ModelError || error is CheckpointError || error is FileError, "\(error)")
                        #expect(!"\(error)".contains("\n"))
                    }
                }
            }
        }
    }
}
