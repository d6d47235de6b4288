import Tensor
import Testing
import _TestSupport

/// Log-probabilities and cross-entropy through a projection that is not trained: the gradient of the hidden states is made while the logits
/// are there, and equals the one that passes through a trained projection.
@Suite struct FrozenProjectionTests {
    /// Few rows; many; more than have logits at a time, in five chunks of fourteen.
    @Test(arguments: [(3, 7, 17, nil), (70, 33, 130, nil), (70, 33, 130, 1)])
    func gradientsAreThoseThroughATrainedOne(rows: Int, width: Int, vocabulary: Int, chunk: Int?) {
        let hidden = OpCase.Input.normal("hidden", [rows, width]).tensor
        let weight = OpCase.Input.normal("weight", [vocabulary, width]).tensor
        let targets = (0..<Int32(rows)).map { $0 * 17_011 % Int32(vocabulary) }
        let rowWeights = (0..<rows).map { Float($0 % 3) * 0.5 }
        let slopes = Tensor((0..<rows).map { Float($0 % 5) - 1.5 }, shape: [rows])

        func results(trained: Bool) -> [Tensor] {
            let tape = Tape()
            let h = tape.variable(hidden)
            let w = trained ? tape.variable(weight) : weight
            let logProbs = h.logProbs(w, targets: targets, temperature: 0.7).logProbs
            let loss = h.crossEntropy(w, targets: targets, rowWeights: rowWeights)
            return [logProbs.detached, loss.detached]
                + tape.backward(from: [(logProbs, slopes), (loss, Tensor(3))], variables: [h])
        }
        LogitChunk.$count.withValue(chunk ?? LogitChunk.count) {
            onEveryBuild { label, _ in
                for (index, (a, b)) in zip(results(trained: false), results(trained: true)).enumerated() {
                    expectClose(a, b, label: "\(label), result \(index)")
                }
            }
        }
    }
}
