import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

@Suite struct TrunkTests {
    @Test("a copy shares all memory until one of the two changes")
    func copies() throws {
        let decoder = try TinyModel.llama()
        decoder.parameters[3].isTrainable = false
        let copy = decoder.copy()
        for (a, b) in zip(decoder.parameters, copy.parameters) {
            #expect(a !== b && a.name == b.name && a.isTrainable == b.isTrainable)
            #expect(a.value.sharesMemory(with: b.value))
        }
        let before = decoder.parameters[5].value
        copy.parameters[5].value.update { $0[0] += 1 }
        #expect(decoder.parameters[5].value.isIdentical(to: before))
        #expect(!copy.parameters[5].value.sharesMemory(with: before))
        #expect(copy.configuration() == decoder.configuration())
        let tied = try TinyModel.llama(tied: true).copy()
        #expect(tied.projection === tied.embeddingParameters[0])
    }

    @Test("equal layers are found and stored once")
    func depth() throws {
        // the same numbers in other memory
        let (a, b) = (try TinyModel.llama(layers: 4), try TinyModel.llama(layers: 4))
        b.parameters(ofLayer: 2)[4].value.update { $0[7] = $0[7].nextUp }
        let below = a.embeddingParameters + a.parameters(ofLayer: 0) + a.parameters(ofLayer: 1)
        // the parameters of layer 2 in front of the one that differs are found equal too, and so is the projection
        let bytes = (below + a.parameters(ofLayer: 2).prefix(4) + [a.projection]).reduce(0) { $0 + $1.value.count * 4 }
        let shared = Trunk.share(a, with: b, atMost: 4)
        #expect(shared.layers == 2)
        #expect(shared.bytesFreed == bytes)
        for (x, y) in zip(below, b.embeddingParameters + b.parameters(ofLayer: 0) + b.parameters(ofLayer: 1)) {
            #expect(x.value.sharesMemory(with: y.value), "\(x.name)")
        }
        #expect(!a.parameters(ofLayer: 3)[0].value.sharesMemory(with: b.parameters(ofLayer: 3)[0].value))
        #expect(a.projection.value.sharesMemory(with: b.projection.value))
        let again = Trunk.share(a, with: b, atMost: 4)
        #expect(again.layers == 2 && again.bytesFreed == 0)
        #expect(Trunk.share(a, with: b, atMost: 1).layers == 1)
        #expect(Trunk.share(a, with: a.copy(), atMost: 4).layers == 4)
    }

    @Test("equal weights in two formats are kept in the narrower one", arguments: [false, true])
    func formats(narrowFirst: Bool) throws {
        try withTemporaryFolder { folder in
            let (half, full) = (folder.appendingPathComponent("bf16"), folder.appendingPathComponent("f32"))
            try LanguageModel(decoder: TinyModel.llama()).save(to: half, as: .bfloat16)
            let narrow = try LanguageModel.load(half)
            try narrow.save(to: full)
            let wide = try LanguageModel.load(full).decoder
            // a trained weight is not shared, and stays as it is
            let trained = wide.parameters(ofLayer: 1)[1]
            trained.value.update { $0[0] += 1 }
            let stored = trained.value
            let held = Dictionary(uniqueKeysWithValues: narrow.decoder.parameters.map { ($0.name, $0.value) })
            let (a, b) = narrowFirst ? (narrow.decoder, wide) : (wide, narrow.decoder)
            let shared = Trunk.share(a, with: b, atMost: 3)
            #expect(shared.layers == 1)
            var freed = 0
            for (x, y) in zip(common(a), common(b)) {
                #expect(x.value.sharesMemory(with: y.value), "\(x.name)")
                let isMatrix = x.value.shape.rank == 2
                #expect(x.value.storage.format == (isMatrix ? .bf16 : .f32), "\(x.name)")
                if isMatrix { #expect(held[x.name].map(x.value.sharesMemory) == true, "\(x.name)") }
                freed += 4 * x.value.count
            }
            #expect(shared.bytesFreed == freed)
            #expect(trained.value.sharesMemory(with: stored) && stored.storage.format == .f32)
        }
    }

    /// What the two models of ``formats(narrowFirst:)`` have in common: all up to the changed weight, and the projection.
    private func common(_ decoder: any TransformerDecoder) -> [Parameter] {
        decoder.embeddingParameters + decoder.parameters(ofLayer: 0) + decoder.parameters(ofLayer: 1).prefix(1) + [decoder.projection]
    }

    @Test("other embeddings, other shapes and other settings share nothing")
    func nothing() throws {
        let a = try TinyModel.llama()
        let embeddings = try TinyModel.llama()
        embeddings.embeddingParameters[0].value.update { $0[3] = 0 }
        #expect(Trunk.share(a, with: embeddings, atMost: 3).layers == 0)
        #expect(Trunk.share(a, with: try TinyModel.llama(vocabulary: 41), atMost: 3).layers == 0)
        // equal weights, but the layers make other states of them
        #expect(Trunk.share(a, with: try TinyModel.llama(epsilon: 1e-3), atMost: 3).layers == 0)
        #expect(Trunk.share(a, with: try TinyModel.llama(rope: RotarySettings(base: 500)), atMost: 3).layers == 0)
        // what lies above does not matter
        #expect(Trunk.share(a, with: try TinyModel.llama(layers: 2), atMost: 3).layers == 2)
        #expect(Trunk.share(a, with: try TinyModel.llama(tied: true), atMost: 3).layers == 3)
    }

    @Test("a reward model scores from the policy's trunk states as from its own")
    func scores() throws {
        let policy = try TinyModel.llama(layers: 4)
        let judge = RewardModel(policy.copy(), head: TinyModel.head())
        judge.decoder.parameters(ofLayer: 3)[1].value.update { $0[0] += 1 }
        let texts = TinyModel.prompts([8, 1, 40])
        let states = policy.run(TokenBatch(texts), layers: 0..<3)
        expectClose(
            judge.scores(texts, trunk: (states, 3)), judge.scores(texts), relative: 1e-5, absolute: 1e-6)
        // each score is read at the text's last token
        for (text, score) in zip(texts, judge.scores(texts)) {
            expectClose(judge.head(judge.decoder.alone(text)).values[text.count - 1], score, relative: 1e-5, absolute: 1e-6)
        }
    }
}
