import Tensor
import Testing

/// Mistakes of the program stop it, in release builds too, with a message that shows both sides.
@Suite struct TrapTests {
    /// Expects the text on standard error to hold all of `parts`.
    private func expect(_ result: ExitTest.Result?, says parts: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        for part in parts {
            #expect(text.contains(part), "“\(part)” is missing in: \(text)", sourceLocation: sourceLocation)
        }
    }

    @Test func elementwise() async {
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]) + Tensor.zeros([3, 2])
            }, says: "[2, 3]", "[3, 2]", "add")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2]).swiglu(up: Tensor.zeros([1]))
            }, says: "[2]", "[1]", "gate")
    }

    @Test func products() async {
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([4, 3]).linear(Tensor.zeros([5, 2]))
            }, says: "[4, 3]", "[5, 2]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([4, 3]).linear(Tensor.zeros([5, 3]), bias: Tensor.zeros([4]))
            }, says: "[4]", "[5, 3]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([4, 3]).matmul(Tensor.zeros([3, 5]), otherTransposed: true)
            }, says: "[4, 3]", "[3, 5]ᵀ")
    }

    @Test func normalisations() async {
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).rmsNormalised(weight: Tensor.zeros([4]), epsilon: 0)
            }, says: "[2, 3]", "[4]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).layerNormalised(weight: Tensor.zeros([3]), bias: Tensor.zeros([5]), epsilon: 0)
            }, says: "[2, 3]", "[5]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let table = RotaryTable(cosines: Tensor.zeros([2, 4]), sines: Tensor.zeros([2, 4]))
                _ = Tensor.zeros([1, 8]).rotated(heads: 1, positions: [2], table: table)
            }, says: "rotary table of 2")
    }

    @Test func attention() async {
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let keys = Tensor.zeros([4, 6])
                _ = Tensor.zeros([4, 8]).attending(
                    keys: keys, values: keys, layout: AttentionLayout(lengths: [4]), heads: 2, keyHeads: 1)
            }, says: "[4, 8]", "[4, 6]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let x = Tensor.zeros([4, 8])
                _ = x.attending(keys: x, values: x, layout: AttentionLayout(lengths: [5]), heads: 1, keyHeads: 1)
            }, says: "5 queries, not 4")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let layout = AttentionLayout([.init(queries: 0..<4, keyBegin: 0, firstKey: 2)])
                let x = Tensor.zeros([4, 8])
                _ = x.attending(keys: x, values: x, layout: layout, heads: 1, keyHeads: 1)
            }, says: "4 queries and 4 keys")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let layout = AttentionLayout([
                    .init(queries: 0..<3, keyBegin: 0, firstKey: 0), .init(queries: 2..<4, keyBegin: 0, firstKey: 0),
                ])
                let x = Tensor.zeros([4, 8])
                _ = x.attending(keys: x, values: x, layout: layout, heads: 1, keyHeads: 1)
            }, says: "query 2 is not")
    }

    @Test func logProbabilities() async {
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).logProbs(Tensor.zeros([7, 4]), targets: [0, 0])
            }, says: "[2, 3]", "[7, 4]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).logProbs(Tensor.zeros([7, 3]), targets: [0, 7])
            }, says: "target 7", "7 tokens")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).crossEntropy(
                    Tensor.zeros([7, 3]), targets: [0, 5], rowWeights: [1, 1], validTokens: 5)
            }, says: "target 5", "5 tokens")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).crossEntropy(Tensor.zeros([7, 3]), targets: [0, -1], rowWeights: [1, 1])
            }, says: "target -1")
    }

    @Test func shapesAndRows() async {
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).reshaped([7])
            }, says: "[2, 3]", "[7]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor([1, 2], shape: [3])
            }, says: "2 numbers", "[3]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).rows([2])
            }, says: "row 2", "[2, 3]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).embedding(of: [-1])
            }, says: "token -1", "2 rows")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Tensor.zeros([2, 3]).item
            }, says: "[2, 3]")
    }

    @Test func tapes() async {
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let tape = Tape()
                tape.backward(from: tape.variable(Tensor.zeros([2, 3])))
            }, says: "scalar", "[2, 3]")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let (first, second) = (Tape(), Tape())
                _ = first.variable(Tensor(1)) + second.variable(Tensor(1))
            }, says: "different tapes")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let tape = Tape()
                let loss = tape.variable(Tensor(1)).squared()
                tape.backward(from: loss)
                tape.backward(from: loss)
            }, says: "used only once")
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                let tape = Tape()
                let weight = Parameter("weight", Tensor(1)).on(tape)
                tape.backward(from: weight.squared(), variables: [weight])
            }, says: "weight is a parameter")
    }

    @Test func optimiser() async {
        expect(
            await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                var (value, first, second) = (Tensor.zeros([2]), Tensor.zeros([2]), Tensor.zeros([2]))
                AdamStep(
                    learningRate: 1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, number: 1, gradientScale: 1
                ).apply(gradient: Tensor.zeros([3]), to: &value, first: &first, second: &second)
            }, says: "[3]", "[2]")
    }
}
