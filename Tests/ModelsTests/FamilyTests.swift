import Models
import Tensor
import Testing
import _TestSupport

/// What holds for a decoder of any family. LLaMA alone is looked at more closely in the suites of batches, generation and trunks.
@Suite struct FamilyTests {
    static let lengths = [5, 1, 17, 3, 30]

    @Test(
        "a ragged batch equals its sequences one by one, in any split of the layers", arguments: TinyModel.Kind.allCases
    )
    func raggedBatches(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make()
        let sequences = TinyModel.prompts(Self.lengths)
        let batch = TokenBatch(sequences)
        let together = decoder.hidden(batch, wanted: batch.rows)
        #expect(together.shape == [56, decoder.shape.headWidth])
        for (sequence, rows) in zip(sequences, batch.rows) {
            expectClose(
                together.rows(rows), decoder.alone(sequence), relative: 1e-5, absolute: 1e-5, label: kind.rawValue)
        }
        let wanted = [2..<4, 5..<6, 22..<23, 50..<56]
        let some = together.rows(wanted.flatMap { Array($0) })
        expectClose(decoder.hidden(batch, wanted: wanted), some, relative: 1e-5, absolute: 1e-5)
        for depth in 0...3 {
            let states = decoder.run(batch, layers: 0..<depth)
            #expect(states.shape == [56, 16])
            expectClose(
                decoder.hidden(batch, wanted: wanted, trunk: (states, depth)), some, relative: 1e-5, absolute: 1e-5,
                label: "\(kind) from layer \(depth)")
        }
    }

    /// Weights of width 16 round their input only if they are frozen: their gradients read floats. So both ways exist.
    @Test("norms and activations that are rounded where they are made change no bit in bf16", arguments: TinyModel.Kind.allCases)
    func roundedActivations(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make()
        let batch = TokenBatch(TinyModel.prompts(Self.lengths))
        func states() -> (all: Tensor, some: Tensor, roundings: Int) {
            let profile = ComputeProfile()
            return Compute.$precision.withValue(.bf16) {
                Compute.$profile.withValue(profile) {
                    let all = decoder.hidden(batch, wanted: batch.rows)
                    let some = decoder.hidden(batch, wanted: [2..<4, 5..<6, 22..<23, 50..<56])
                    return (all, some, profile.report.operations.first { $0.name == "RoundedRows.init" }?.calls ?? 0)
                }
            }
        }
        let floats = states()
        for parameter in decoder.parameters { parameter.isTrainable = false }
        let rounded = states()
        #expect(rounded.all.isIdentical(to: floats.all) && rounded.some.isIdentical(to: floats.some))
        #expect(rounded.roundings < floats.roundings)
    }

    @Test("continuations that share a prompt equal separate sequences", arguments: TinyModel.Kind.allCases)
    func sharedPrompts(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make()
        let prompts = TinyModel.prompts([9, 1])
        var random = Philox(seed: 8)
        let continuations = [[4, 1, 11], [6, 2]].map { $0.map { TinyModel.tokens($0, using: &random) } }
        let batch = TokenBatch(prompts: prompts, continuations: continuations)
        let states = decoder.hidden(batch, wanted: batch.rows)
        var at = 0
        for (prompt, answers) in zip(prompts, continuations) {
            for answer in answers {
                expectClose(
                    states.rows(at..<at + answer.count),
                    decoder.alone(prompt + answer).rows(prompt.count..<prompt.count + answer.count), relative: 1e-5,
                    absolute: 1e-5, label: kind.rawValue)
                at += answer.count
            }
        }
        #expect(at == states.shape[0])
    }

    @Test(
        "cached decoding of a ragged batch equals full passes; ids without a token are never drawn",
        arguments: TinyModel.Kind.allCases)
    func generation(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make(vocabulary: 12)
        let head = TinyModel.head(width: decoder.shape.headWidth)
        let requests = TinyModel.prompts([3, 1, 20, 7], vocabulary: 9).enumerated().map { index, prompt in
            GenerationRequest(
                prompt: prompt, streams: (0...index).map { Philox(seed: UInt64(index)).split(UInt64($0)) })
        }
        let options = SamplingOptions(maxNewTokens: 12)
        for maxActive in [2, 64] {
            let generator = Generator(
                decoder, valueHead: head, endOfSequence: 2, validTokens: 9, maxActive: maxActive, trunkLayers: 2)
            var endings: Set<Bool> = []
            for (request, answers) in zip(requests, try generator.generate(requests, options: options)) {
                #expect(answers.count == request.streams.count)
                for answer in answers {
                    #expect(answer.tokens.allSatisfy { (0..<9).contains($0) })
                    expectClose(
                        answer.logProbs, decoder.logProbs(of: answer.tokens, after: request.prompt, validTokens: 9),
                        relative: 0, absolute: 2e-5, label: kind.rawValue)
                    let text = request.prompt + answer.tokens
                    let values = head(decoder.alone(Array(text.dropLast()))).values
                    expectClose(
                        answer.values, Array(values.suffix(answer.tokens.count)), relative: 1e-5, absolute: 1e-5)
                    let states = decoder.run(TokenBatch([text + (answer.ended ? [] : [2])]), layers: 0..<2)
                    expectClose(
                        try #require(answer.trunk).tensor, states, relative: 1e-5, absolute: 1e-5, label: kind.rawValue)
                    endings.insert(answer.ended)
                }
            }
            #expect(endings.contains(true), "the case must hold responses that end by themselves")
        }
    }

    @Test("a token sees what is before it and nothing behind it", arguments: TinyModel.Kind.allCases)
    func causality(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make()
        let sequence = TinyModel.prompts([14])[0]
        let states = decoder.alone(sequence)
        for place in [0, 8, 13] {
            var changed = sequence
            changed[place] = (changed[place] - 3 + 1) % 37 + 3
            let other = decoder.alone(changed)
            for row in 0..<14 {
                let isSame = zip(states.rows([row]).values, other.rows([row]).values).allSatisfy { abs($0 - $1) < 1e-6 }
                #expect(isSame == (row < place), "\(kind): token \(place) changed, row \(row)")
            }
        }
    }

    @Test("the gradient behind a frozen trunk equals that of a full pass", arguments: TinyModel.Kind.allCases)
    func gradients(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make()
        let batch = TokenBatch(TinyModel.prompts([7, 12]))
        let wanted = [3..<7, 15..<19]
        let targets = (0..<8).map { Int32($0 + 3) }
        func gradients(_ hidden: (Tape) -> Tensor) -> [String: Tensor] {
            let tape = Tape()
            tape.backward(
                from: decoder.crossEntropy(
                    hidden(tape), targets: targets, rowWeights: Array(repeating: 0.125, count: 8), on: tape))
            defer { decoder.parameters.forEach { $0.clearGradient() } }
            return Dictionary(
                uniqueKeysWithValues: decoder.parameters.compactMap { parameter in
                    parameter.gradient.map { (parameter.name, $0) }
                })
        }
        let everything = gradients { decoder.hidden(batch, wanted: wanted, on: $0) }
        #expect(Set(everything.keys) == Set(decoder.parameters.map(\.name)))
        Freezing(fraction: 0.34, freezesEmbeddings: true).apply(to: decoder)
        #expect(decoder.frozenTrunk == 1)
        let states = decoder.run(batch, layers: 0..<1)
        for found in [
            gradients { decoder.hidden(batch, wanted: wanted, on: $0) },
            gradients { decoder.hidden(batch, wanted: wanted, trunk: (states, 1), on: $0) },
        ] {
            #expect(Set(found.keys) == Set(decoder.parameters.filter(\.isTrainable).map(\.name)))
            for (name, gradient) in found {
                let expected = try #require(everything[name])
                let size = Double(expected.values.map(abs).max() ?? 0)
                expectClose(gradient, expected, relative: 1e-5, absolute: 1e-5 * size + 1e-7, label: "\(kind) \(name)")
            }
        }
    }

    /// Reference behaviour, § 2.3.
    @Test("positions are frozen with any layer, the other embeddings when asked", arguments: TinyModel.Kind.allCases)
    func freezing(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make(layers: 5)
        func trainable() -> Set<String> { Set(decoder.parameters.filter(\.isTrainable).map(\.name)) }
        let upper = Set(
            (2..<5).flatMap { decoder.parameters(ofLayer: $0).map(\.name) } + decoder.finalParameters.map(\.name))
        Freezing(fraction: 0.5).apply(to: decoder)
        #expect(trainable() == upper)
        #expect(decoder.frozenTrunk == 2)
        Freezing(fraction: 0.5, freezesEmbeddings: false).apply(to: decoder)
        let embeddings = decoder.embeddingParameters.filter { $0 !== decoder.positionParameter }
        let output = [decoder.projection, decoder.projectionBias].compactMap { $0?.name }
        #expect(trainable() == upper.union(embeddings.map(\.name)).union(output))
        let haveRows: Set<TinyModel.Kind> = [.opt, .optPostNorm, .optProjected, .optBare, .gpt2, .gpt2Scaled, .gptNeo]
        #expect((decoder.positionParameter != nil) == haveRows.contains(kind))
        #expect(decoder.frozenTrunk == 0)
        Freezing(fraction: 0).apply(to: decoder)
        #expect(trainable() == Set(decoder.parameters.map(\.name)))
        Freezing(fraction: 0.5).apply(to: decoder, isRewardModel: true)
        #expect(trainable() == upper)
    }

    @Test("copies share memory, compute the same and keep what is frozen", arguments: TinyModel.Kind.allCases)
    func copies(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make()
        Freezing(fraction: 0.34).apply(to: decoder)
        let copy = decoder.copy()
        #expect(copy.configuration() == decoder.configuration())
        for (a, b) in zip(decoder.parameters, copy.parameters) {
            #expect(
                a !== b && a.name == b.name && a.isTrainable == b.isTrainable && a.value.sharesMemory(with: b.value))
            #expect(decoder.isStoredTransposed(a) == copy.isStoredTransposed(b))
        }
        #expect(copy.isTied == (copy.projection === copy.embeddingParameters[0]))
        #expect(Set(decoder.parameters.map(\.name)).count == decoder.parameters.count)
        let text = TinyModel.prompts([20])
        #expect(decoder.alone(text[0]).isIdentical(to: copy.alone(text[0])))
        #expect(Trunk.share(decoder, with: copy, atMost: 3).layers == 3)
        copy.parameters(ofLayer: 1)[0].value.update { $0[0] += 1 }
        #expect(Trunk.share(decoder, with: copy, atMost: 3).layers == 1)
        copy.embeddingParameters[copy.embeddingParameters.count - 1].value.update { $0[0] += 1 }
        #expect(Trunk.share(decoder, with: copy, atMost: 3).layers == 0)
    }

    @Test("models of two families or settings share nothing")
    func differentFamilies() throws {
        let models = try TinyModel.Kind.allCases.map { try $0.make() }
        for (i, a) in models.enumerated() {
            for (j, b) in models.enumerated() {
                #expect((Trunk.share(a, with: b, atMost: 3).layers == 0) == (i != j))
            }
        }
    }

    @Test("what is saved builds the same model again", arguments: TinyModel.Kind.allCases, [nil, 4000])
    func roundTrip(_ kind: TinyModel.Kind, shardLimit: Int?) throws {
        let decoder = try kind.make()
        try withTemporaryFolder { folder in
            let target = folder.appendingPathComponent("model")
            try LanguageModel(decoder: decoder).save(to: target, shardLimit: shardLimit ?? 5_000_000_000)
            let store = try ModelFolder(target).weights()
            #expect(store.layout == (shardLimit == nil ? .safetensors : .shardedSafetensors))
            let again = try LanguageModel.load(target).decoder
            #expect(type(of: again) == type(of: decoder) && again.configuration() == decoder.configuration())
            for (a, b) in zip(again.parameters, decoder.parameters) {
                #expect(a.name == b.name && a.value.isIdentical(to: b.value), "\(a.name)")
                let shape = b.value.shape.dimensions
                #expect(try store.shape(of: b.name) == (decoder.isStoredTransposed(b) ? shape.reversed() : shape))
            }
        }
    }
}

@Suite struct ModelFamilyTests {
    @Test("a family of the caller's own counts over a built-in one of its type; unknown ones are named")
    func ownFamilies() throws {
        let model = try TinyModel.llama()
        try withTemporaryFolder { folder in
            let target = folder.appendingPathComponent("below/one/that/is/made")
            try LanguageModel(decoder: model).save(to: target)
            struct Mine: Error {}
            let mine = ModelFamily("llama") { _, _ in throw Mine() }
            #expect(throws: Mine.self) { try LanguageModel.load(target, families: ModelFamily.builtIn + [mine]) }
            #expect(throws: ModelError.self) { try LanguageModel.load(target, families: [.opt]) }
            let again = try LanguageModel.load(target, families: [.llama]).decoder
            #expect(zip(again.parameters, model.parameters).allSatisfy { $0.value.isIdentical(to: $1.value) })
        }
    }
}
