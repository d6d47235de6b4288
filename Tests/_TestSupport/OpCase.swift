public import Tensor
public import Testing

/// One operation on one set of inputs, used in three ways: its values are compared with a naive kernel in Double, its gradients with
/// central differences of that naive kernel, and it is timed.
public struct OpCase: Sendable, CustomTestStringConvertible {
    /// One differentiable input.
    public struct Input: Sendable {
        /// The name in messages.
        public let name: String
        /// The extents.
        public let shape: Shape
        /// The elements.
        public let values: [Float]

        /// An input of given numbers.
        public init(_ name: String, _ shape: Shape, _ values: [Float]) {
            (self.name, self.shape, self.values) = (name, shape, values)
        }

        /// An input drawn from a normal distribution; the name is the seed.
        public static func normal(_ name: String, _ shape: Shape, mean: Float = 0, deviation: Float = 1) -> Input {
            var generator = Philox(seed: 17).split(name)
            return Input(name, shape, (0..<shape.count).map { _ in mean + deviation * generator.normal() })
        }

        /// The input as a tensor.
        public var tensor: Tensor { Tensor(values, shape: shape) }
    }

    /// The case of `enum Operation` that the operation records.
    public let operation: String
    /// What is special about this case.
    public let name: String
    /// Everything that a gradient flows to.
    public let inputs: [Input]
    /// The shape of the result.
    public let outputShape: Shape
    /// Multiplications and additions of a forward pass.
    public let flops: Int
    /// The operation under test.
    public let run: @Sendable ([Tensor]) -> Tensor
    /// The same in Double, with no regard for speed.
    public let naive: @Sendable ([[Double]]) -> [Double]
    /// The error allowed beside `relative · |expected|`, in units of the largest expected number (or 1).
    public var absolute = 1e-6
    /// The relative error allowed.
    public var relative = 1e-5
    /// How many elements of each input are moved for the differences.
    public var differences = 32

    /// A case; see the properties.
    public init(
        _ operation: String, _ name: String, inputs: [Input], output: Shape, flops: Int,
        run: @escaping @Sendable ([Tensor]) -> Tensor, naive: @escaping @Sendable ([[Double]]) -> [Double]
    ) {
        self.operation = operation
        self.name = name
        self.inputs = inputs
        self.outputShape = output
        self.flops = flops
        self.run = run
        self.naive = naive
    }

    /// The same case with a wider tolerance or fewer differences.
    public func with(relative: Double? = nil, absolute: Double? = nil, differences: Int? = nil) -> OpCase {
        var copy = self
        copy.relative = relative ?? self.relative
        copy.absolute = absolute ?? self.absolute
        copy.differences = differences ?? self.differences
        return copy
    }

    public var testDescription: String { "\(operation): \(name)" }

    /// The least memory traffic of a forward pass: every input read once, the output written once.
    public var bytes: Int { 4 * (inputs.reduce(0) { $0 + $1.values.count } + outputShape.count) }
}

/// Calls `body` with the function table of every build of the kernels that this processor runs.
package func onEveryLevel(_ body: (Kernels.Table, _ label: String) -> Void) {
    for level in Kernels.available {
        Kernels.$level.withValue(level) { body(Kernels.current.pointee, "\(level)") }
    }
}

/// Calls `body` for every build of the kernels that this processor runs, with 1, 2, 3 and 7 threads.
public func onEveryBuild(_ body: (_ label: String, _ threads: Int) throws -> Void) rethrows {
    for level in Kernels.available {
        for threads in [1, 2, 3, 7] {
            try Kernels.$level.withValue(level) {
                try Compute.$threads.withValue(threads) { try body("\(level), threads: \(threads)", threads) }
            }
        }
    }
}

extension OpCase {
    /// Expects the operation to give the naive kernel's numbers on every build, and the same bits for 1, 2, 3 and 7 threads.
    public func checkValues(sourceLocation: SourceLocation = #_sourceLocation) {
        let expected = naive(inputs.map { $0.values.map(Double.init) })
        let tensors = inputs.map(\.tensor)
        var single: [Float] = []
        onEveryBuild { label, threads in
            let result = run(tensors)
            #expect(result.shape == outputShape, "\(label)", sourceLocation: sourceLocation)
            expectClose(
                result.values, expected, relative: relative, absolute: absolute * scale(expected), label: label,
                sourceLocation: sourceLocation)
            if threads == 1 { single = result.values }
            expectSameBits(result.values, single, label, sourceLocation)
        }
    }

    /// Expects the gradients to be those of central differences on every build, the same bits for one and two threads, and the same
    /// numbers when only one input is watched, when the operation is used twice, and when the inputs are parameters.
    public func checkGradients(sourceLocation: SourceLocation = #_sourceLocation) {
        var generator = Philox(seed: 3)
        let upstream = Tensor.normal(outputShape, standardDeviation: 1, using: &generator)
        let expected = centralDifferences(upstream.values)
        var single: [[Float]] = []
        onEveryBuild { label, threads in
            let gradients = gradients(upstream)
            if threads == 1 { single = gradients.map(\.values) }
            for (index, input) in inputs.enumerated() {
                let label = "d\(input.name), \(label)"
                #expect(gradients[index].shape == input.shape, "\(label)", sourceLocation: sourceLocation)
                let values = gradients[index].values
                expectClose(
                    expected[index].places.map { values[$0] }, expected[index].slopes, relative: 20 * relative,
                    absolute: 20 * absolute * scale(expected[index].slopes), label: label, sourceLocation: sourceLocation)
                expectSameBits(values, single[index], label, sourceLocation)
            }
        }
        checkOtherWays(gradients(upstream), upstream, sourceLocation)
    }

    /// The gradients with every input a variable of one tape.
    func gradients(_ upstream: Tensor) -> [Tensor] {
        let tape = Tape()
        let variables = inputs.map { tape.variable($0.tensor) }
        return tape.backward(from: [(run(variables), upstream)], variables: variables)
    }

    private func checkOtherWays(_ all: [Tensor], _ upstream: Tensor, _ sourceLocation: SourceLocation) {
        func compare(_ index: Int, _ actual: Tensor, times factor: Float, _ label: String) {
            let expected = all[index].scaled(by: factor)
            expectClose(
                actual, expected, relative: 1e-5, absolute: 4 * absolute * scale(expected.values.map(Double.init)),
                label: "d\(inputs[index].name), \(label)", sourceLocation: sourceLocation)
        }
        for index in inputs.indices {
            let tape = Tape()
            var tensors = inputs.map(\.tensor)
            tensors[index] = tape.variable(tensors[index])
            let alone = tape.backward(from: [(run(tensors), upstream)], variables: [tensors[index]])
            compare(index, alone[0], times: 1, "watched alone")
        }
        let tape = Tape()
        let variables = inputs.map { tape.variable($0.tensor) }
        let twice = tape.backward(from: [(run(variables), upstream), (run(variables), upstream)], variables: variables)
        for index in inputs.indices { compare(index, twice[index], times: 2, "used twice") }

        let parameters = inputs.map { Parameter($0.name, $0.tensor) }
        for _ in 0..<2 {
            let tape = Tape()
            tape.backward(from: [(run(parameters.map { $0.on(tape) }), upstream)])
        }
        for index in inputs.indices {
            compare(index, parameters[index].gradient ?? .zeros(inputs[index].shape), times: 2, "parameters on two tapes")
        }
    }

    /// The slopes of Σ upstream · output of the naive kernel at some elements of every input.
    private func centralDifferences(_ upstream: [Float]) -> [(places: [Int], slopes: [Double])] {
        let step = 1e-4
        func loss(_ values: [[Double]]) -> Double {
            zip(naive(values), upstream).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
        var values = inputs.map { $0.values.map(Double.init) }
        return inputs.indices.map { index in
            let count = values[index].count
            // the first and the last few, and some between
            let stride = max(1, count / max(1, differences - 8))
            let places = (0..<count).filter { $0 < 4 || $0 >= count - 4 || $0 % stride == 0 }
            let slopes = places.map { place in
                let kept = values[index][place]
                values[index][place] = kept + step
                let above = loss(values)
                values[index][place] = kept - step
                let below = loss(values)
                values[index][place] = kept
                return (above - below) / (2 * step)
            }
            return (places, slopes)
        }
    }

    private func scale(_ values: [Double]) -> Double { values.reduce(1) { max($0, abs($1)) } }

    private func expectSameBits(_ a: [Float], _ b: [Float], _ label: String, _ sourceLocation: SourceLocation) {
        let different = zip(a, b).count { $0.bitPattern != $1.bitPattern }
        #expect(
            different == 0, "\(label): \(different) numbers differ from those of one thread", sourceLocation: sourceLocation)
    }
}
