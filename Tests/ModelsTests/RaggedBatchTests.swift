import Models
import Tensor
import Testing
import _TestSupport

/// What a sequence's numbers may depend on: its own tokens, and nothing else in the batch.
@Suite struct RaggedBatchTests {
    static let lengths = [5, 1, 17, 64, 3, 30]

    @Test("a ragged batch equals its sequences one by one")
    func oneByOne() throws {
        let decoder = try TinyModel.llama()
        let sequences = TinyModel.prompts(Self.lengths)
        let batch = TokenBatch(sequences)
        let together = decoder.hidden(batch, wanted: batch.rows)
        #expect(together.shape == [120, 16])
        for (sequence, rows) in zip(sequences, batch.rows) {
            expectClose(together.rows(rows), decoder.alone(sequence), relative: 1e-5, absolute: 1e-5)
        }
    }

    @Test("a token sees what is before it and nothing behind it")
    func causality() throws {
        let decoder = try TinyModel.llama()
        let sequence = TinyModel.prompts([24])[0]
        let states = decoder.alone(sequence)
        for place in [0, 1, 9, 22, 23] {
            var changed = sequence
            changed[place] = (changed[place] - 3 + 1) % 37 + 3
            let other = decoder.alone(changed)
            for row in 0..<24 {
                let isSame = zip(states.rows([row]).values, other.rows([row]).values).allSatisfy { abs($0 - $1) < 1e-6 }
                #expect(isSame == (row < place), "token \(place) changed, row \(row)")
            }
        }
    }

    @Test("continuations that share a prompt equal separate sequences")
    func sharedPrompts() throws {
        let decoder = try TinyModel.llama(tied: true)
        let prompts = TinyModel.prompts([9, 1, 33])
        var random = Philox(seed: 8)
        let continuations = [[4, 1, 11], [6], [2, 20]].map { $0.map { TinyModel.tokens($0, using: &random) } }
        let batch = TokenBatch(prompts: prompts, continuations: continuations)
        #expect(batch.promptRows.map(\.count) == [9, 1, 33])
        #expect(batch.rows.map(\.count) == [4, 1, 11, 6, 2, 20])
        let states = decoder.hidden(batch, wanted: batch.rows)
        let promptStates = decoder.hidden(batch, wanted: batch.promptRows)
        var (at, group, promptAt) = (0, 0, 0)
        for (prompt, answers) in zip(prompts, continuations) {
            let alone = decoder.alone(prompt)
            expectClose(
                promptStates.rows(promptAt..<promptAt + prompt.count), alone, relative: 1e-5, absolute: 1e-5,
                label: "prompt \(group)")
            promptAt += prompt.count
            for answer in answers {
                expectClose(
                    states.rows(at..<at + answer.count),
                    decoder.alone(prompt + answer).rows(prompt.count..<prompt.count + answer.count), relative: 1e-5,
                    absolute: 1e-5, label: "group \(group)")
                at += answer.count
            }
            group += 1
        }
        #expect(at == states.shape[0])
    }

    @Test("an empty prompt and groups without continuations change nothing")
    func emptyParts() throws {
        let decoder = try TinyModel.llama()
        let texts = TinyModel.prompts([6, 4, 7])
        let batch = TokenBatch(prompts: [texts[2], [], texts[2]], continuations: [[], [texts[0], texts[1]], []])
        let states = decoder.hidden(batch, wanted: batch.rows)
        expectClose(states.rows(0..<6), decoder.alone(texts[0]), relative: 1e-5, absolute: 1e-5)
        expectClose(states.rows(6..<10), decoder.alone(texts[1]), relative: 1e-5, absolute: 1e-5)
    }

    @Test("the last layer computes wanted rows as if it computed all of them", arguments: [1, 3])
    func wantedRows(layers: Int) throws {
        let decoder = try TinyModel.llama(layers: layers)
        let batch = TokenBatch(TinyModel.prompts(Self.lengths))
        let all = decoder.hidden(batch, wanted: [0..<5, 5..<6, 6..<23, 23..<87, 87..<90, 90..<120])
        let wanted = [2..<4, 22..<23, 23..<23, 50..<87, 119..<120]
        let some = decoder.hidden(batch, wanted: wanted)
        expectClose(some, all.rows(wanted.flatMap { Array($0) }), relative: 1e-5, absolute: 1e-5)
        // and the layer range form, which applies to the model's last layer alone
        #expect(decoder.run(batch, layers: 0..<layers, wanted: wanted).shape == [41, 16])
        #expect(decoder.run(batch, layers: 0..<layers).shape == [120, 16])
        if layers > 1 { #expect(decoder.run(batch, layers: 0..<layers - 1, wanted: wanted).shape == [120, 16]) }
    }

    @Test("from any layer on, given states equal recomputed ones", arguments: 0...3)
    func trunk(depth: Int) throws {
        let decoder = try TinyModel.llama()
        let batch = TokenBatch(TinyModel.prompts(Self.lengths))
        let wanted = batch.rows.map { $0.upperBound - 1..<$0.upperBound }
        let states = decoder.run(batch, layers: 0..<depth)
        expectClose(
            decoder.hidden(batch, wanted: wanted, trunk: (states, depth)), decoder.hidden(batch, wanted: wanted),
            relative: 1e-5, absolute: 1e-6)
    }

    @Test("the gradient through wanted rows and behind a frozen trunk equals that of a full pass")
    func gradients() throws {
        let decoder = try TinyModel.llama()
        Freezing(fraction: 0.34, freezesEmbeddings: true).apply(to: decoder)
        #expect(decoder.frozenTrunk == 1)
        let batch = TokenBatch(TinyModel.prompts([7, 12]))
        let wanted = [3..<7, 15..<19]
        func gradients(_ loss: (Tape) -> Tensor) -> [String: Tensor] {
            let tape = Tape()
            tape.backward(from: loss(tape))
            defer { decoder.parameters.forEach { $0.clearGradient() } }
            return Dictionary(
                uniqueKeysWithValues: decoder.parameters.compactMap { parameter in
                    parameter.gradient.map { (parameter.name, $0) }
                })
        }
        func loss(_ hidden: Tensor, _ tape: Tape) -> Tensor {
            let weights = Tensor((0..<8).map { Float($0) - 3 }, shape: [8])
            return (TinyModel.head()(hidden, on: nil) * weights).sum()
        }
        let fast = gradients { loss(decoder.hidden(batch, wanted: wanted, on: $0), $0) }
        let states = decoder.run(batch, layers: 0..<1)
        let reused = gradients { loss(decoder.hidden(batch, wanted: wanted, trunk: (states, 1), on: $0), $0) }
        let full = gradients { tape in
            let all = decoder.run(batch, layers: 0..<3, on: tape)
            return loss(decoder.finish(all.rows(wanted.flatMap { Array($0) }), on: tape), tape)
        }
        let names = Set(decoder.parameters.filter { $0.isTrainable && $0.name != "lm_head.weight" }.map(\.name))
        #expect(Set(fast.keys) == names && Set(reused.keys) == names && Set(full.keys) == names)
        for (name, expected) in full {
            let size = Double(expected.values.map(abs).max() ?? 0)
            for found in [fast[name], reused[name]] {
                expectClose(try #require(found), expected, relative: 1e-5, absolute: 1e-5 * size, label: name)
            }
        }
    }

    @Test("one thread and two threads give the same numbers")
    func threads() throws {
        let decoder = try TinyModel.llama(vocabulary: 300)
        let batch = TokenBatch(TinyModel.prompts(Self.lengths + [100, 100, 100], vocabulary: 300))
        func logits(_ threads: Int) -> Tensor {
            Compute.$threads.withValue(threads) {
                decoder.hidden(batch, wanted: batch.rows).logits(decoder.projection.value)
            }
        }
        expectClose(logits(2), logits(1), relative: 1e-6, absolute: 1e-6)
    }
}
