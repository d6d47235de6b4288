import Models
import Tensor
import Testing
import _TestSupport

/// What adapters drop in training.
@Suite struct AdapterDropoutTests {
    private static let text: [Int32] = [3, 17, 9, 30, 4, 22, 8, 1, 12]

    private func adapted(_ decoder: any TransformerDecoder, _ configuration: AdapterConfiguration) throws -> any TransformerDecoder {
        try decoder.adapted(by: configuration, base: "/models/tiny", using: Philox(seed: 7))
    }

    @Test("dropout is drawn from the run's streams, by row and module", arguments: [false, true])
    func dropout(decomposes: Bool) throws {
        for kind in [TinyModel.Kind.llama, .gpt2, .opt, .phi3] {
            let base = try kind.make()
            var configuration = AdapterConfiguration(rank: 3, alpha: 12, dropout: 0.5, layers: [1, 2], decomposesWeights: decomposes)
            let decoder = try adapted(base, configuration)
            decoder.shakeAdapter()
            #expect(!decoder.dropout.isNone && decoder.dropout.adapter == 0.5 && decoder.withoutAdapter().dropout == base.dropout)
            configuration.dropout = 0
            let still = try adapted(base, configuration)
            still.shakeAdapter()
            // what the family's own dropout does is not looked at here
            func states(_ decoder: any TransformerDecoder, _ batch: TokenBatch, _ source: DropoutSource?) -> Tensor {
                var batch = batch
                batch.dropout = source
                var states = decoder.embed(batch.ids, positions: batch.positions, on: nil)
                for layer in 0..<3 {
                    let context = LayerContext(positions: batch.positions, layout: batch.layout, dropout: layer == 1 ? batch.dropout : nil)
                    states = decoder.layer(layer, states, context, on: nil)
                }
                return states
            }
            let (one, two) = (TokenBatch([Self.text]), TokenBatch([[5, 6, 7], Self.text]))
            let random = Philox(seed: 4)
            #expect(states(decoder, one, nil).isIdentical(to: states(still, one, nil)), "\(kind): nothing is dropped without a source")
            let dropped = states(decoder, one, DropoutSource(random, firstRow: 3))
            #expect(dropped.isIdentical(to: states(decoder, one, DropoutSource(random, firstRow: 3))))
            #expect(!dropped.isIdentical(to: states(decoder, one, DropoutSource(random, firstRow: 4))))
            #expect(!dropped.isIdentical(to: states(decoder, one, DropoutSource(random.split(1), firstRow: 3))))
            // how a step is cut into passes does not matter
            expectSmallError(states(decoder, two, DropoutSource(random)).rows(3..<12), dropped, 1e-5, "\(kind)")
        }
    }

    @Test("the mean over masks is the adapter without dropout, and gradients are the same when layers run again")
    func dropoutMeans() throws {
        for decomposes in [false, true] {
            let base = try TinyModel.llama(layers: 1)
            // the last projection alone: what follows it is linear
            let decoder = try adapted(
                base, AdapterConfiguration(rank: 3, alpha: 6, dropout: 0.25, targets: .names(["down_proj"]), decomposesWeights: decomposes))
            decoder.shakeAdapter()
            let batch = TokenBatch([Self.text])
            let exact = decoder.run(batch, layers: 0..<1)
            var sum = Tensor.zeros(exact.shape)
            for seed in 0..<600 as Range<UInt64> {
                var batch = batch
                batch.dropout = DropoutSource(Philox(seed: seed))
                sum = sum + decoder.run(batch, layers: 0..<1)
            }
            expectSmallError(sum.scaled(by: 1 / 600), exact, 0.03, "\(decomposes)")
        }
        for name in ["lora-all-linear", "lora-gpt2"] {
            let fixture = try AdapterFixture(name)
            var configuration = try #require(fixture.decoder.adapter).configuration
            configuration.dropout = 0.3
            let decoder = try fixture.decoder.withoutAdapter().adapted(by: configuration, base: "x", using: Philox(seed: 1))
            decoder.shakeAdapter()
            func gradients(_ recomputes: Bool) -> [[Float]] {
                decoder.parameters.forEach { $0.clearGradient() }
                let tape = Tape(recomputingLayers: recomputes)
                tape.backward(from: fixture.loss(decoder, on: tape, dropout: DropoutSource(Philox(seed: 2))))
                return decoder.parameters.compactMap { $0.gradient?.values }
            }
            #expect(gradients(false) == gradients(true))
            #expect(fixture.loss(decoder, dropout: DropoutSource(Philox(seed: 2))).item != fixture.loss(decoder).item)
        }
    }
}
