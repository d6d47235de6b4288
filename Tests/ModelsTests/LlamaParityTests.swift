import Models
import Tensor
import Testing
import _TestSupport

/// Tiny LLaMAs of Tests/Fixtures/models against Transformers. Loss, gradients and optimiser are compared in TrainTests.
@Suite struct LlamaParityTests {
    @Test("parameters have the names of the state dictionary", arguments: ModelFixture.llamas)
    func names(_ name: String) throws {
        let fixture = try ModelFixture(name)
        #expect(fixture.model.decoder.parameters.map(\.name).sorted() == fixture.expected.parameters)
        #expect(fixture.model.head != nil)
    }

    /// What the head reads and what the projection makes of it, for sequences alone and packed into one batch.
    @Test("hidden states and logits", arguments: ModelFixture.llamas)
    func logits(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let decoder = fixture.model.decoder
        let fitting = fixture.expected.sequences.indices.filter {
            fixture.expected.sequences[$0].tokens.count <= decoder.shape.contextLength
        }
        #expect(fitting.count == (name == "llama-dynamic" ? 2 : 3))
        let packed = TokenBatch(fitting.map { fixture.expected.sequences[$0].tokens })
        let together = decoder.hidden(packed, wanted: packed.rows)
        for (place, index) in fitting.enumerated() {
            let states = decoder.alone(fixture.expected.sequences[index].tokens)
            let hidden = try #require(fixture.tensors["hidden.\(index)"]).tensor
            expectSmallError(states, hidden, 1e-5, "\(name) hidden.\(index)")
            expectSmallError(together.rows(packed.rows[place]), hidden, 1e-5, "\(name) packed hidden.\(index)")
            let logits = states.logits(decoder.projection.value)
            expectSmallError(
                logits, try #require(fixture.tensors["logits.\(index)"]).tensor, 1e-5, "\(name) logits.\(index)")
        }
    }

    @Test("scores of the reward head", arguments: ModelFixture.llamas)
    func scores(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let model = RewardModel(fixture.model.decoder, head: try #require(fixture.model.head))
        var compared = 0
        for (pair, scores) in zip(fixture.expected.reward.pairs, fixture.expected.reward.scores) {
            for (text, score) in zip([pair.first, pair.second], scores)
            where text.count <= model.decoder.shape.contextLength {
                expectClose(model.scores([text]), [score], relative: 1e-5, absolute: 2e-6, label: name)
                compared += 1
            }
        }
        #expect(compared == (name == "llama-dynamic" ? 1 : 4))
    }

    /// 200 tokens with the cache, or as many as the context has room for.
    @Test("greedy text", arguments: ModelFixture.llamas)
    func greedy(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let (decoder, expected) = (fixture.model.decoder, fixture.expected.greedy)
        let count = min(expected.tokens.count, decoder.shape.contextLength - expected.prompt.count - 1)
        #expect(count == (name == "llama-dynamic" ? 6 : 200))
        let response = try Generator(decoder, endOfSequence: nil).generate(
            [GenerationRequest(prompt: expected.prompt, streams: [Philox(seed: 0)])], options: .greedy(maxNewTokens: count)
        )[0][0]
        #expect(response.tokens == Array(expected.tokens.prefix(count)))
    }
}

/// Expects ‖actual − expected‖ ≤ bound · ‖expected‖, and no element far off.
func expectSmallError(
    _ actual: Tensor, _ expected: Tensor, _ bound: Double, _ label: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let norm = expected.sumOfSquares().squareRoot()
    expectClose(
        actual, expected, relative: 0, absolute: bound * norm, label: label, sourceLocation: sourceLocation)
    guard actual.shape == expected.shape else { return }
    let error = (actual - expected).sumOfSquares().squareRoot()
    #expect(error <= bound * norm, "\(label): error \(error / norm)", sourceLocation: sourceLocation)
}
