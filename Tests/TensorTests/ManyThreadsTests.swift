import Synchronization
import Tensor
import Testing
import _TestSupport

/// Many threads, also more than there are processors: the pool calls every index once, and the bits of no result depend on their number.
@Suite struct ManyThreadsTests {
    static let numbers = [1, 2, 3, 7, 16, 64]

    // MARK: The pool

    /// Counts the calls of every index without a lock, and leaves what the calls wrote to be read after the job.
    private static func callsOfEveryIndex(_ count: Int) -> [Int] {
        var calls = [Int](repeating: 0, count: count)
        calls.withUnsafeMutableBufferPointer { calls in
            // each call changes its own element
            nonisolated(unsafe) let calls = calls
            Compute.forEach(count) { calls[$0] += 1 }
        }
        return calls
    }

    @Test func everyIndexRunsOnceWhileTheNumberOfThreadsChanges() {
        for round in 0..<30 {
            for threads in [1, 64, 2, 16, 3, 300, 7, 64, 2] {
                let count = (37 * round + threads) % 150
                let calls = Compute.$threads.withValue(threads) { Self.callsOfEveryIndex(count) }
                #expect(calls.allSatisfy { $0 == 1 }, "\(threads) threads, \(count) indices")
            }
        }
    }

    @Test(arguments: [16, 64]) func nestedJobsRun(threads: Int) {
        let calls = Mutex([Int](repeating: 0, count: 12 * 9))
        Compute.$threads.withValue(threads) {
            Compute.forEach(12) { outer in
                Compute.$threads.withValue(threads) {
                    Compute.forEach(9) { inner in calls.withLock { $0[outer * 9 + inner] += 1 } }
                }
            }
        }
        #expect(calls.withLock { $0.allSatisfy { $0 == 1 } })
    }

    @Test func jobsOfSeveralCallersRunAtTheSameTime() async {
        let right = await withTaskGroup(of: Bool.self) { group in
            for caller in 0..<6 {
                group.addTask {
                    Compute.$threads.withValue([64, 2, 7][caller % 3]) {
                        (0..<60).allSatisfy { round in Self.callsOfEveryIndex(5 * round + caller).allSatisfy { $0 == 1 } }
                    }
                }
            }
            return await group.reduce(true) { $0 && $1 }
        }
        #expect(right)
    }

    private struct Failure: Error, Equatable { let index: Int }

    @Test(arguments: numbers) func resultsAreInOrderAndTheFirstErrorCounts(threads: Int) {
        Compute.$threads.withValue(threads) {
            #expect(Compute.map(100) { $0 * $0 } == (0..<100).map { $0 * $0 })
            #expect(Compute.mapParts(of: Array(0..<10), grain: 4) { $0 } == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
            #expect(Compute.mapParts(of: [Int](), grain: 4) { $0 } == [])
            #expect(throws: Failure(index: 30)) {
                _ = try Compute.map(100) { index throws(Failure) in
                    if index % 30 == 0, index > 0 { throw Failure(index: index) }
                    return index
                }
            }
        }
    }

    // MARK: Operations

    /// Operations that are large enough to be cut into parts for several threads.
    private static let operations: [OpCase] = [
        OpCases.linear(rows: 100, inputs: 200, outputs: 260, bias: true), OpCases.linear(rows: 3, inputs: 300, outputs: 400),
        OpCases.linearSum(rows: 100, inputs: 130, outputs: 200), OpCases.matmul(m: 100, n: 200, k: 150, transposed: true),
        OpCases.attention(lengths: [70, 33, 1], heads: 6, keyHeads: 3, dim: 16), OpCases.rmsNorm(rows: 200, width: 300),
        OpCases.layerNorm(rows: 200, width: 300), OpCases.softmax(rows: 300, width: 200), OpCases.dropout(rows: 90, width: 700, rate: 0.1),
        OpCases.crossEntropy(rows: 50, width: 40, vocabulary: 3_000), OpCases.logProbs(rows: 50, width: 40, vocabulary: 3_000),
        OpCases.embedding(vocabulary: 50, width: 300, ids: (0..<400).map { Int32($0 * $0 % 50) }),
        OpCases.selectRows(60, width: 300, indices: (0..<400).map { $0 * $0 % 60 }), OpCases.joinColumns(300, widths: [100, 1, 250]),
        OpCases.selectColumns(300, width: 300, columns: 20..<250),
    ]

    private static func bits(_ tensors: [Tensor]) -> [[UInt32]] { tensors.map { $0.values.map(\.bitPattern) } }

    /// Expects that `run` gives the same bits for every number of threads.
    private func expectSameBits(_ label: String, _ run: () -> [Tensor]) {
        let expected = Compute.$threads.withValue(1) { Self.bits(run()) }
        for threads in Self.numbers.dropFirst() {
            #expect(Compute.$threads.withValue(threads) { Self.bits(run()) } == expected, "\(label), \(threads) threads")
        }
    }

    @Test(arguments: operations, Compute.Precision.allCases)
    func operationsHaveTheSameBits(_ operation: OpCase, precision: Compute.Precision) {
        Compute.$precision.withValue(precision) {
            let upstream = OpCase.Input.normal("upstream", operation.outputShape).tensor
            expectSameBits("\(operation.testDescription), \(precision)") {
                let tape = Tape()
                let inputs = operation.inputs.map { tape.variable($0.tensor) }
                let result = operation.run(inputs)
                return [result] + tape.backward(from: [(result, upstream)], variables: inputs)
            }
        }
    }

    @Test func reductionsHaveTheSameBits() {
        var values = OpCase.Input.normal("x", [300, 500]).values
        values[149_999] = .nan
        values[70_000] = .infinity
        let (finite, broken) = (OpCase.Input.normal("x", [300, 500]).tensor, Tensor(values, shape: [300, 500]))
        let sum = Compute.$threads.withValue(1) { (finite.sumOfSquares(), finite.rowSumsOfSquares()) }
        for threads in Self.numbers {
            Compute.$threads.withValue(threads) {
                #expect(finite.sumOfSquares() == sum.0 && finite.rowSumsOfSquares() == sum.1, "\(threads) threads")
                #expect(finite.nonFiniteCount == 0 && broken.nonFiniteCount == 2, "\(threads) threads")
            }
        }
    }

    @Test func optimiserStepsHaveTheSameBits() {
        let count = 100_001
        let (start, gradient) = (OpCase.Input.normal("value", [count]).tensor, OpCase.Input.normal("gradient", [count]).tensor)
        let adam = AdamStep(
            learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, number: 2, gradientScale: 0.5)
        expectSameBits("AdamW") {
            var (value, first, second) = (start, start, start.squared())
            adam.apply(gradient: gradient, to: &value, first: &first, second: &second)
            return [value, first, second]
        }
        expectSameBits("AdamW in 8 bits") {
            var value = start
            var (first, second) = (MomentCodes(zeros: start.shape, in: .signed), MomentCodes(zeros: start.shape, in: .unsigned))
            for _ in 0..<2 { adam.apply(gradient: gradient, to: &value, first: &first, second: &second) }
            return [value]
        }
        let lion = LionStep(learningRate: 0.01, beta1: 0.9, beta2: 0.99, weightDecay: 0.1, gradientScale: 0.5)
        expectSameBits("Lion") {
            var (value, momentum) = (start, start)
            lion.apply(gradient: gradient, to: &value, momentum: &momentum)
            return [value, momentum]
        }
    }

    @Test func zerosFillEveryElement() {
        for threads in Self.numbers {
            let filled = Compute.$threads.withValue(threads) { Tensor.filled(2.5, [1_000_003]) }
            #expect(filled.values.allSatisfy { $0 == 2.5 }, "\(threads) threads")
        }
    }
}
