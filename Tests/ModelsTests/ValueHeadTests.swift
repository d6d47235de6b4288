import Foundation
import Models
import Tensor
import Testing
import _TestSupport

@Suite struct ValueHeadTests {
    let hidden = Tensor([1, 2, -1, 0.5, 0, 3], shape: [2, 3])
    let weight = Tensor([0.5, -1, 2], shape: [1, 3])

    @Test("(h·w + b + normalisation) / deviation")
    func values() {
        // h·w = −3.5 and 6.25
        expectClose(ValueHead(weight: weight, bias: 0.25)(hidden).values, [-3.25, 6.5], relative: 1e-6)
        let head = ValueHead(weight: weight, bias: 0.25, normalisation: 1, normalisationStd: 4)
        expectClose(head(hidden).values, [-0.5625, 1.875], relative: 1e-6)
        #expect(head(hidden).shape == [2])
    }

    @Test("tanh comes before the normalisation")
    func activation() {
        let head = ValueHead(weight: weight, bias: 0.25, normalisation: 1, normalisationStd: 2, usesTanh: true)
        expectClose(head(hidden).values, [-3.25, 6.5].map { (tanh($0) + 1) / 2 }, relative: 1e-6, absolute: 1e-7)
    }

    @Test("normalising twice composes: the scores end with mean 0 and deviation 1")
    func composition() {
        let states = TinyModel.prompts([200]).map { ids in
            Tensor(ids.flatMap { [Float($0), Float($0 * 7 % 5), 1] }, shape: [200, 3])
        }[0]
        let head = ValueHead(weight: weight, bias: 0.25)
        func moments() -> (mean: Float, deviation: Float) {
            let scores = head(states).values
            let mean = scores.reduce(0, +) / 200
            return (mean, (scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 200).squareRoot())
        }
        let raw = head(states).values
        let first = moments()
        head.normalise(mean: first.mean, std: first.deviation)
        expectClose(head(states).values, raw.map { ($0 - first.mean) / first.deviation }, relative: 1e-5, absolute: 1e-5)
        // a second one on other numbers: what was 3 becomes 0, what was 5 becomes 1
        head.normalise(mean: 3, std: 2)
        expectClose(
            head(states).values, raw.map { (($0 - first.mean) / first.deviation - 3) / 2 }, relative: 1e-5, absolute: 1e-5)
        let second = moments()
        head.normalise(mean: second.mean, std: second.deviation)
        expectClose([moments().mean, moments().deviation], [0, 1], relative: 0, absolute: 1e-4)
    }

    @Test("gradients reach weight, bias and input; the normalisation is not trained")
    func gradients() throws {
        let head = ValueHead(weight: weight, bias: 0.25, normalisation: 1, normalisationStd: 4)
        let tape = Tape()
        let input = tape.variable(hidden)
        let values = head(input, on: tape)
        let result = tape.backward(from: (values * Tensor([1, -2], shape: [2])).sum(), variables: [input])
        // d/dw = (h₀ − 2h₁)/4, d/db = (1 − 2)/4, d/dh = c·w/4
        expectClose(try #require(head.weight.gradient).values, [0, 0.5, -1.75], relative: 1e-6)
        expectClose(try #require(head.bias.gradient).values, [-0.25], relative: 1e-6)
        expectClose(result[0].values, [0.125, -0.25, 0.5, -0.25, 0.5, -1], relative: 1e-6)
        #expect(head.normalisation.gradient == nil && head.normalisationStd.gradient == nil)
        #expect(head.parameters.map(\.isTrainable) == [true, true, false, false])
    }

    @Test("a fresh head has standard deviation 1/(width + 1) and says that it is fresh")
    func initialisation() {
        var random = Philox(seed: 4)
        let head = ValueHead(width: 4095, using: &random)
        #expect(head.isFresh && head.bias.value.item == 0)
        let deviation = (head.weight.value.sumOfSquares() / 4095).squareRoot()
        #expect(abs(deviation * 4096 - 1) < 0.05)
        #expect(!ValueHead(weight: weight, bias: 0).isFresh)
        #expect(head.copy().isFresh)
        head.weight.value.update { $0[7] += 1e-3 }
        #expect(!head.isFresh && !head.copy().isFresh)
    }

    @Test("a copy is independent")
    func copies() {
        let head = TinyModel.head()
        let copy = head.copy()
        #expect(copy.weight.value.sharesMemory(with: head.weight.value))
        head.normalise(mean: 1, std: 2)
        head.weight.value.update { $0[0] = 9 }
        #expect(copy.weight.value.values[0] != 9)
        #expect(copy.normalisation.value.item == 0.25 && copy.normalisationStd.value.item == 1.5)
    }
}
