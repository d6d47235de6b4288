import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Properties of adapters that need no reference, on every family.
@Suite struct AdapterTests {
    private static let text: [Int32] = [3, 17, 9, 30, 4, 22, 8, 1, 12]

    private func adapted(
        _ decoder: any TransformerDecoder, _ configuration: AdapterConfiguration = AdapterConfiguration(rank: 3), seed: UInt64 = 7
    ) throws -> any TransformerDecoder {
        try decoder.adapted(by: configuration, base: "/models/tiny", using: Philox(seed: seed))
    }

    private func logits(_ decoder: any TransformerDecoder) -> Tensor { decoder.logits(decoder.alone(Self.text)) }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was thrown"
        } catch {
            let text = "\(error)"
            #expect(!text.contains("\n"))
            return text
        }
    }

    // MARK: What an adapter computes

    @Test("fresh adapters change nothing, trained ones are what merging makes of them", arguments: TinyModel.Kind.allCases)
    func families(_ kind: TinyModel.Kind) throws {
        let base = try kind.make()
        let before = logits(base)
        for decomposes in [false, true] {
            let decoder = try adapted(base, AdapterConfiguration(rank: 3, alpha: 5, decomposesWeights: decomposes))
            let fresh = logits(decoder)
            if decomposes {
                expectSmallError(fresh, before, 1e-5, "\(kind)")
            } else {
                #expect(fresh.values == before.values, "\(kind)")
            }
            decoder.shakeAdapter()
            let now = logits(decoder)
            #expect((now - before).sumOfSquares() > 1e-3 * before.sumOfSquares(), "\(kind): the adapter changes something")
            // deep models of large weights amplify rounding
            expectSmallError(logits(decoder.merged()), now, 1e-4, "\(kind) merged, \(decomposes)")
            #expect(logits(decoder.withoutAdapter()).isIdentical(to: before), "\(kind)")
            #expect(logits(base).isIdentical(to: before), "\(kind)")
            #expect(logits(decoder.copy()).isIdentical(to: now), "\(kind)")
            // every linear layer has a module, under its stored name
            let modules = try #require(decoder.adapter).modules
            let matrices = (0..<decoder.shape.layerCount).flatMap { base.parameters(ofLayer: $0) }
                .filter { $0.value.shape.rank == 2 }.map { String($0.name.dropLast(".weight".count)) }
            #expect(Set(matrices).isSubset(of: modules.map(\.name)), "\(kind)")
            #expect(modules.allSatisfy { ($0.magnitude != nil) == decomposes })
            for parameter in base.parameters {
                let same = try #require(decoder.parameters.first { $0.name == parameter.name })
                #expect(same.value.sharesMemory(with: parameter.value) && same !== parameter && !same.isTrainable && parameter.isTrainable)
            }
        }
    }

    @Test("a copy is independent, its adapter too")
    func copies() throws {
        let decoder = try adapted(TinyModel.llama(), AdapterConfiguration(rank: 2, layers: [1, 2]))
        decoder.shakeAdapter()
        let copy = decoder.copy()
        let before = logits(decoder)
        for (a, b) in zip(decoder.parameters, copy.parameters) {
            #expect(a !== b && a.name == b.name && a.isTrainable == b.isTrainable && a.value.sharesMemory(with: b.value))
        }
        try #require(copy.adapter).parameters[1].value.update { $0[0] += 1 }
        #expect(logits(decoder).isIdentical(to: before) && !logits(copy).isIdentical(to: before))
        #expect(copy.adapter?.configuration == decoder.adapter?.configuration && copy.adapter?.base == "/models/tiny")
        // a copy of a copy has one as well
        #expect(logits(copy.copy()).isIdentical(to: logits(copy)))
    }

    @Test("DoRA's lengths follow A and B when they are trained")
    func lengths() throws {
        let decoder = try adapted(TinyModel.llama(), AdapterConfiguration(rank: 2, decomposesWeights: true))
        for seed in 1...3 as ClosedRange<UInt64> {
            decoder.shakeAdapter(seed: seed)
            expectSmallError(logits(decoder), logits(decoder.merged()), 1e-4, "\(seed)")
        }
        for parameter in try #require(decoder.adapter).parameters { parameter.value.update { $0[0] += 0.5 } }
        expectSmallError(logits(decoder), logits(decoder.merged()), 1e-4, "changed in place")
    }

    @Test("a base in bfloat16 stays so")
    func narrow() throws {
        try withTemporaryFolder { folder in
            let narrow = folder.appendingPathComponent("narrow")
            try LanguageModel(decoder: TinyModel.llama()).save(to: narrow, as: .bfloat16)
            let base = try LanguageModel.load(narrow).decoder
            for decomposes in [false, true] {
                let decoder = try adapted(base, AdapterConfiguration(rank: 2, decomposesWeights: decomposes))
                decoder.shakeAdapter()
                expectSmallError(logits(decoder.merged()), logits(decoder), 1e-4, "merged")
                for (new, old) in zip(decoder.withoutAdapter().parameters, base.parameters) {
                    #expect(new.value.sharesMemory(with: old.value))
                }
            }
        }
    }

    // MARK: What is trained

    @Test("only the adapter is trained, and layers below it are constant")
    func freezing() throws {
        let base = try TinyModel.llama(layers: 5)
        let rule = Freezing(fraction: 0.6)
        #expect(rule.trainedLayers(of: base.shape) == 3..<5)
        #expect(Freezing(fraction: 0).trainedLayers(of: base.shape) == 0..<5)
        #expect(Freezing(fraction: 1).trainedLayers(of: base.shape) == 5..<5)
        #expect(Freezing.asSet.trainedLayers(of: base.shape) == 0..<5)
        let decoder = try adapted(base, AdapterConfiguration(rank: 2, layers: Array(rule.trainedLayers(of: base.shape))))
        for _ in 0..<2 {
            #expect(Set(decoder.parameters.filter(\.isTrainable).map(\.name)) == Set(decoder.adapter?.parameters.map(\.name) ?? []))
            #expect(decoder.frozenTrunk == 3)
            // the usual rules leave it so, whichever layers they would train
            rule.apply(to: decoder)
            Freezing(fraction: 0).apply(to: decoder, isRewardModel: true)
        }
        #expect(try adapted(base).frozenTrunk == 0)
        #expect(base.parameters.allSatisfy { $0.isTrainable })
        // layers of a policy and its bare model below the adapter are one
        let shared = Trunk.share(decoder, with: decoder.withoutAdapter(), atMost: decoder.frozenTrunk)
        #expect(shared.layers == 3 && shared.bytesFreed == 0)
        #expect(Trunk.share(decoder, with: base, atMost: 5).layers == 3)
        #expect(Trunk.share(decoder, with: decoder.copy(), atMost: 5).layers == 5)
    }

    @Test("two adapters of one base that was loaded twice end up with its weights in memory once")
    func oneBase() throws {
        let (first, second) = (try TinyModel.llama(layers: 4), try TinyModel.llama(layers: 4))
        let policy = try adapted(first, AdapterConfiguration(rank: 2, layers: [2, 3]))
        let judge = try adapted(second, AdapterConfiguration(rank: 5, targets: .names(["q_proj"]), layers: [3]), seed: 9)
        policy.shakeAdapter()
        judge.shakeAdapter(seed: 5)
        let before = logits(judge)
        let shared = Trunk.share(policy, with: judge, atMost: policy.frozenTrunk)
        let bytes = (first.embeddingParameters + (0..<4).flatMap { first.parameters(ofLayer: $0) } + [first.projection])
            .reduce(0) { $0 + 4 * $1.value.count }
        #expect(shared.layers == 2 && shared.bytesFreed == bytes)
        #expect(logits(judge).isIdentical(to: before))
        for parameter in policy.withoutAdapter().parameters where parameter.name != "model.norm.weight" {
            let other = try #require(judge.parameters.first { $0.name == parameter.name })
            #expect(other.value.sharesMemory(with: parameter.value), "\(parameter.name)")
        }
        #expect(Trunk.share(policy, with: judge, atMost: 2).bytesFreed == 0)
    }

    @Test("equal matrices of adapters that are scaled otherwise make other states")
    func scales() throws {
        let base = try TinyModel.llama(layers: 4)
        let (a, b) = (
            try adapted(base, AdapterConfiguration(rank: 2, alpha: 2, layers: [1, 2])),
            try adapted(base, AdapterConfiguration(rank: 2, alpha: 4, layers: [1, 2]))
        )
        a.shakeAdapter()
        b.shakeAdapter()
        #expect(a.parameters.map(\.value.values) == b.parameters.map(\.value.values))
        #expect(Trunk.share(a, with: b, atMost: 4).layers == 1)
    }

    @Test("states of the constant layers can be computed once", arguments: [false, true])
    func trunk(recomputes: Bool) throws {
        let decoder = try adapted(TinyModel.llama(layers: 4), AdapterConfiguration(rank: 2, layers: [2]))
        decoder.shakeAdapter()
        let batch = TokenBatch([Self.text])
        let states = decoder.run(batch, layers: 0..<2)
        func gradients(_ trunk: (states: Tensor, layers: Int)?) -> [Tensor?] {
            decoder.parameters.forEach { $0.clearGradient() }
            let tape = Tape(recomputingLayers: recomputes)
            let hidden = decoder.hidden(batch, wanted: [0..<8], trunk: trunk, on: tape)
            tape.backward(
                from: decoder.crossEntropy(
                    hidden, targets: Array(Self.text.dropFirst()), rowWeights: Array(repeating: 1, count: 8), on: tape))
            return decoder.parameters.map(\.gradient)
        }
        let (own, given) = (gradients(nil), gradients((states, 2)))
        #expect(own.compactMap { $0 }.count == 14)
        for (a, b) in zip(own, given) { #expect(a?.values == b?.values) }
    }

    @Test("streams: a module starts from the same numbers whichever others there are")
    func streams() throws {
        let base = try TinyModel.llama()
        let (all, some) = (try adapted(base), try adapted(base, AdapterConfiguration(rank: 3, targets: .names(["v_proj"]), layers: [2])))
        let module = try #require(some.adapter?.modules.first)
        #expect(some.adapter?.modules.count == 1 && module.name == "model.layers.2.self_attn.v_proj")
        let same = try #require(all.adapter?.modules.first { $0.name == module.name })
        #expect(same.down.value.values == module.down.value.values)
        #expect(module.down.value.shape == [3, 16] && module.up.value.shape == [8, 3])
        #expect(module.down.value.values.allSatisfy { abs($0) <= 0.25 } && module.down.value.values.contains { abs($0) > 0.15 })
        #expect(module.up.value.values.allSatisfy { $0 == 0 })
        #expect(try adapted(base, seed: 8).adapter?.modules[0].down.value.values != all.adapter?.modules[0].down.value.values)
    }

    // MARK: Targets

    @Test("targets by name, layer, pattern and exception")
    func targets() throws {
        let base = try TinyModel.llama(layers: 3)
        func names(_ change: (inout AdapterConfiguration) -> Void) throws -> [String] {
            var configuration = AdapterConfiguration(rank: 4, alpha: 8)
            change(&configuration)
            return try #require(adapted(base, configuration).adapter).modules.map {
                $0.name.replacingOccurrences(of: "model.layers.", with: "")
            }
        }
        #expect(
            try names { $0.targets = .init("q_proj, mlp.up_proj") }.sorted()
                == (0..<3).flatMap { ["\($0).mlp.up_proj", "\($0).self_attn.q_proj"] })
        #expect(try names { $0.targets = .init("All-Linear") }.count == 21)
        #expect(try names { ($0.targets, $0.layers) = (.init("k_proj"), [2, 0]) } == ["0.self_attn.k_proj", "2.self_attn.k_proj"])
        #expect(
            try names { $0.targets = .pattern(#".*layers\.[01]\..*(q|o)_proj"#) }
                == ["0.self_attn.q_proj", "0.self_attn.o_proj", "1.self_attn.q_proj", "1.self_attn.o_proj"])
        // neither classes nor escapes nor counted repetitions are open ones
        #expect(try names { $0.targets = .pattern(#"(model\.layers\.[0*+1]\.){1,2}[^\]+]*q_proj"#) }.count == 2)
        #expect(try names { $0.targets = .names(["model.layers.1.mlp.up_proj"]) } == ["1.mlp.up_proj"])
        #expect(try names { $0.excluded = .names(["self_attn.q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj"]) }.count == 3)
        #expect(try names { ($0.targets, $0.layers, $0.layersPatterns) = (.init("k_proj"), [1], ["layers"]) } == ["1.self_attn.k_proj"])
        var configuration = AdapterConfiguration(rank: 4, alpha: 8)
        configuration.ranks = [.init("self_attn.(q|k)_proj", 2), .init("q_proj", 7)]
        configuration.alphas = [.init("^model.layers.1.self_attn.q_proj", 3)]
        let decoder = try adapted(base, configuration)
        for module in try #require(decoder.adapter).modules {
            let isShort = module.name.hasSuffix("q_proj") || module.name.hasSuffix("k_proj")
            #expect(module.down.value.shape[0] == (isShort ? 2 : 4))
            #expect(module.scale == (module.name == "model.layers.1.self_attn.q_proj" ? 1.5 : isShort ? 4 : 2))
        }
        configuration.isRankStabilised = true
        #expect(try adapted(base, configuration).adapter?.modules.last?.scale == 4)
    }

    @Test("fused projections are targets under their stored names")
    func fused() throws {
        for (kind, name) in [
            (TinyModel.Kind.gpt2, "c_attn"), (.phi3, "qkv_proj"), (.phi3, "gate_up_proj"), (.gptNeoX, "query_key_value"),
            (.bloom, "query_key_value"),
        ] {
            let decoder = try adapted(kind.make(), AdapterConfiguration(rank: 2, targets: .names([name])))
            #expect(decoder.adapter?.modules.count == 3, "\(kind)")
            decoder.shakeAdapter()
            expectSmallError(logits(decoder.merged()), logits(decoder), 1e-4, "\(kind)")
        }
    }

    @Test("what makes no sense is named in one line")
    func faults() throws {
        let base = try TinyModel.llama()
        func fault(_ change: (inout AdapterConfiguration) -> Void) -> String {
            message {
                var configuration = AdapterConfiguration(rank: 4)
                change(&configuration)
                _ = try adapted(base, configuration)
            }
        }
        #expect(fault { $0.rank = 0 } == "the rank of an adapter must be at least 1, not 0")
        #expect(fault { $0.ranks = [.init("q_proj", -1)] }.contains("at least 1, not -1"))
        #expect(fault { $0.alpha = .nan }.contains("alpha of an adapter must be above 0"))
        #expect(fault { $0.alpha = 0 }.contains("above 0, not 0"))
        #expect(fault { $0.dropout = 1 }.contains("dropout of an adapter must be at least 0 and below 1, not 1"))
        #expect(
            fault { $0.targets = .names(["q_proj", "c_attn"]) }
                == "the adapter's target 'c_attn' is not a projection of the model; use down_proj, gate_proj, k_proj, o_proj, q_proj, "
                + "up_proj, v_proj or all-linear")
        #expect(fault { $0.targets = .names(["lm_head"]) }.contains("'lm_head' is not a projection"))
        #expect(fault { $0.targets = .names(["proj"]) }.contains("'proj' is not a projection"))
        #expect(fault { $0.targets = .init("") }.contains("has no targets"))
        #expect(fault { $0.targets = .pattern("nothing") }.contains("match no projection of the model; use down_proj"))
        #expect(fault { $0.targets = .pattern("(") } == "the pattern '(' of an adapter is not a supported regular expression")
        #expect(fault { $0.ranks = [.init("a)(b", 2)] }.contains("not a supported regular expression"))
        // what backtracking would take hours for
        for pattern in ["(.*)*x", "(a|b+)+c", "((.+)x){2,}y", ".*.*.*.*.*.*.*x", #"(?:[a-z]+\.)*q_proj"#] {
            #expect(fault { $0.targets = .pattern(pattern) }.contains("is too complex"), "\(pattern)")
        }
        #expect(fault { ($0.targets, $0.layers) = (.pattern(".*"), [1]) }.contains("cannot be combined with a target pattern"))
        #expect(fault { $0.layers = [1, 3] } == "the adapter targets layer 3, but the model has layers 0 to 2")
        #expect(fault { $0.layers = [-1] }.contains("at least 0, not -1"))
        #expect(fault { $0.layers = [] }.contains("no layers"))
        #expect(fault { $0.excluded = .allLinear }.contains("match no projection"))
        #expect(
            message { _ = try adapted(adapted(base)) }
                == "the model already has an adapter; continue training it, or merge it into the model first")
    }
}
