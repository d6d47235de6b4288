extension Tensor {
    /// The sum of all elements, as a scalar, accumulated in double precision.
    public func sum() -> Tensor {
        let sum = withFloats(0..<count) { Kernels.current.pointee.sum(count, $0) }
        let result = Tensor(Float(sum))
        return recorded(as: result) { .sum(Sum(input: $0, shape: shape)) }
    }

    /// The mean of all elements, as a scalar.
    public func mean() -> Tensor { sum().scaled(by: 1 / Float(count)) }

    /// The sum of the squares of all elements, accumulated in double precision. No gradient flows through it.
    public func sumOfSquares() -> Double {
        let kernels = Kernels.current
        let parts = (count + 65_535) / 65_536
        var sums = [Double](repeating: 0, count: parts)
        sums.withUnsafeMutableBufferPointer { sums in
            // each part writes its own element
            nonisolated(unsafe) let sums = sums
            Compute.forChunks(count, grain: 65_536) {
                let range = $0
                sums[range.lowerBound / 65_536] = withFloats(range) {
                    kernels.pointee.sum_of_squares(range.count, $0)
                }
            }
        }
        return sums.reduce(0, +)
    }

    /// The number of elements that are NaN or infinite.
    public var nonFiniteCount: Int {
        let kernels = Kernels.current
        return Compute.map((count + 65_535) / 65_536) { part in
            let range = part * 65_536..<min(count, (part + 1) * 65_536)
            return withFloats(range) { kernels.pointee.count_non_finite(range.count, $0) }
        }.reduce(0, +)
    }
}

struct Sum {
    let input: Int
    let shape: Shape
    func backward(_ gradient: Tensor, on tape: Tape) { tape.add(Tensor.filled(gradient.item, shape), to: input) }
}
