extension Tensor {
    /// The sum of all elements, as a scalar. It is accumulated in double precision.
    public func sum() -> Tensor {
        let result = Tensor(Float(Kernels.current.pointee.sum(count, pointer)))
        return recorded(as: result) { .sum(Sum(input: $0, shape: shape)) }
    }

    /// The mean of all elements, as a scalar.
    public func mean() -> Tensor { sum().scaled(by: 1 / Float(count)) }

    /// The sum of the squares of all elements, in double precision; no gradient flows through it.
    public func sumOfSquares() -> Double {
        let kernels = Kernels.current
        let parts = (count + 65_535) / 65_536
        var sums = [Double](repeating: 0, count: parts)
        sums.withUnsafeMutableBufferPointer { sums in
            // each part writes its own place
            nonisolated(unsafe) let sums = sums
            Compute.forChunks(count, grain: 65_536) {
                sums[$0.lowerBound / 65_536] = kernels.pointee.sum_of_squares($0.count, pointer + $0.lowerBound)
            }
        }
        return sums.reduce(0, +)
    }

    /// How many elements are NaN or infinite.
    public var nonFiniteCount: Int { Kernels.current.pointee.count_non_finite(count, pointer) }
}

struct Sum {
    let input: Int
    let shape: Shape
    func backward(_ gradient: Tensor, on tape: Tape) { tape.add(Tensor.filled(gradient.item, shape), to: input) }
}
