import Models
import Tensor
import Testing
import _TestSupport

/// Tiny models of every family (Tests/Fixtures/models) against Transformers. Loss, gradients and optimiser are compared in TrainTests.
@Suite struct FamilyParityTests {
    @Test("parameters have the names of the state dictionary", arguments: ModelFixture.all)
    func names(_ name: String) throws {
        let fixture = try ModelFixture(name)
        #expect(fixture.model.decoder.parameters.map(\.name).sorted() == fixture.expected.parameters)
        #expect(fixture.model.head != nil)
    }

    /// What the head reads and what the projection makes of it, for sequences alone and packed into one batch.
    @Test("hidden states and logits", arguments: ModelFixture.all)
    func logits(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let decoder = fixture.model.decoder
        #expect(fixture.expected.sequences.count == 3)
        let packed = TokenBatch(fixture.expected.sequences.map(\.tokens))
        let together = decoder.hidden(packed, wanted: packed.rows)
        for (index, sequence) in fixture.expected.sequences.enumerated() {
            let states = decoder.alone(sequence.tokens)
            let hidden = try #require(fixture.tensors["hidden.\(index)"]).tensor
            expectSmallError(states, hidden, 1e-5, "\(name) hidden.\(index)")
            expectSmallError(together.rows(packed.rows[index]), hidden, 1e-5, "\(name) packed hidden.\(index)")
            let logits = decoder.logits(states)
            expectSmallError(
                logits, try #require(fixture.tensors["logits.\(index)"]).tensor, 1e-5, "\(name) logits.\(index)")
        }
    }

    @Test("loss and every gradient of whole sequences", arguments: ModelFixture.all)
    func gradients(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let decoder = fixture.model.decoder
        let sequences = fixture.expected.sequences
        let batch = TokenBatch(sequences.map(\.tokens))
        let wanted = zip(batch.rows, sequences).map { $0.lowerBound + $1.promptLength - 1..<$0.upperBound - 1 }
        let targets = sequences.flatMap { $0.tokens.dropFirst($0.promptLength) }
        try #require(targets.count == fixture.expected.trainedTokens)
        let tape = Tape()
        let loss = decoder.crossEntropy(
            decoder.hidden(batch, wanted: wanted, on: tape), targets: targets,
            rowWeights: Array(repeating: 1 / Float(targets.count), count: targets.count), on: tape)
        expectClose([loss.item], [fixture.expected.loss], relative: 1e-5, absolute: 0, label: name)
        tape.backward(from: loss)
        var largest = 0.0
        var compared = 0
        let expected = try decoder.parameters.map { parameter in
            let stored = try #require(fixture.tensors["gradients.\(parameter.name)"]).tensor
            largest = max(largest, stored.sumOfSquares().squareRoot())
            return decoder.isStoredTransposed(parameter) ? stored.transposed() : stored
        }
        for (parameter, expected) in zip(decoder.parameters, expected) {
            let found = try #require(parameter.gradient, "\(name) \(parameter.name)")
            // key biases have no gradient in exact arithmetic: what is far smaller than all others is noise
            let size = max(expected.sumOfSquares().squareRoot(), 1e-3 * largest)
            #expect((found - expected).sumOfSquares().squareRoot() <= 1e-4 * size, "\(name) \(parameter.name)")
            compared += 1
        }
        #expect(compared == fixture.expected.parameters.count)
    }

    @Test("scores of the reward head", arguments: ModelFixture.all)
    func scores(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let model = RewardModel(fixture.model.decoder, head: try #require(fixture.model.head))
        var compared = 0
        for (pair, scores) in zip(fixture.expected.reward.pairs, fixture.expected.reward.scores) {
            for (text, score) in zip([pair.first, pair.second], scores) {
                expectClose(model.scores([text]), [score], relative: 1e-5, absolute: 2e-6, label: name)
                compared += 1
            }
        }
        #expect(compared == 4)
    }

    @Test("200 tokens of greedy text, with the cache", arguments: ModelFixture.all.filter { $0 != "phi3-longrope" })
    func greedy(_ name: String) throws {
        let fixture = try ModelFixture(name)
        let (decoder, expected) = (try fixture.roomyDecoder(), fixture.expected.greedy)
        #expect(expected.tokens.count == 200)
        let response = try Generator(decoder, endOfSequence: nil).generate(
            [GenerationRequest(prompt: expected.prompt, streams: [Philox(seed: 0)])],
            options: .greedy(maxNewTokens: 200)
        )[0][0]
        #expect(response.tokens == expected.tokens)
    }

    /// The prompt is shorter than the window, the text longer.
    @Test("greedy text across the edge of a window", arguments: ModelFixture.all)
    func windows(_ name: String) throws {
        let fixture = try ModelFixture(name)
        guard let expected = fixture.expected.greedyAcrossWindow else { return }
        let answers = try Generator(fixture.model.decoder, endOfSequence: nil).generate(
            [GenerationRequest(prompt: expected.prompt, streams: [Philox(seed: 0), Philox(seed: 1)])],
            options: .greedy(maxNewTokens: expected.tokens.count))
        for answer in answers[0] { #expect(answer.tokens == expected.tokens) }
        #expect(expected.tokens.count == 40)
    }

    /// Up to the trained length a LongRoPE model has a cache; beyond it only whole texts can be read.
    @Test func longRoPE() throws {
        let fixture = try ModelFixture("phi3-longrope")
        let (decoder, expected) = (fixture.model.decoder, fixture.expected.greedy)
        var text = expected.prompt
        for token in expected.tokens.prefix(40) {
            let logits = decoder.logits(decoder.alone(text).rows([text.count - 1])).values
            try #require(logits.firstIndex(of: logits.max() ?? 0) == Int(token), "after \(text.count) tokens")
            text.append(token)
        }
        #expect(text.count > decoder.shape.contextLength)
        #expect(throws: GenerationError.self) {
            try Generator(decoder, endOfSequence: nil).generate(
                [GenerationRequest(prompt: text, streams: [Philox(seed: 0)])], options: .greedy(maxNewTokens: 4))
        }
    }

    /// Beyond the trained length, dynamic scaling turns all tokens anew for every length, which a cache cannot.
    @Test func greedyTextOfDynamicScalingWithoutACache() throws {
        let fixture = try ModelFixture("llama-dynamic")
        let (decoder, expected) = (try fixture.roomyDecoder(), try #require(fixture.expected.greedyUncached))
        #expect(decoder.shape.contextLength > 65 && expected.tokens != Array(fixture.expected.greedy.tokens.prefix(60)))
        var text = expected.prompt
        for token in expected.tokens {
            let logits = decoder.logits(decoder.alone(text).rows([text.count - 1])).values
            try #require(logits.firstIndex(of: logits.max() ?? 0) == Int(token), "after \(text.count) tokens")
            text.append(token)
        }
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
