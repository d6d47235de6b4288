/// Which elements dropout sets to zero (Srivastava et al. 2014): each with probability `rate`; the others are divided by 1 − rate.
///
/// Whether an element is dropped depends on the generator and the element's place alone. Nothing is drawn from the generator: the same
/// mask gives the same zeros however often it is used, and a backward pass makes them again instead of keeping them.
public struct DropoutMask: Sendable, Equatable {
    /// The share of the elements that is dropped, from 0 (none) to below 1.
    public let rate: Double
    /// The generator that decides which.
    public let random: Philox
    /// The row of the mask that each row of a tensor has; nil where that is its own index.
    public let rows: [Int]?

    /// A mask.
    public init(rate: Double, random: Philox, rows: [Int]? = nil) {
        precondition(rate >= 0 && rate < 1, "a dropout rate is at least 0 and below 1, not \(rate)")
        self.rate = rate
        self.random = random
        self.rows = rows
    }

    /// Calls `body` with a mask as kernels read it, one that drops nothing for nil: an element is dropped where its 32 random bits are
    /// below rate · 2³².
    /// - Parameter count: the rows of the tensor.
    static func withKernel<Result>(of mask: DropoutMask?, rows count: Int, _ body: (Kernels.Dropout) -> Result) -> Result {
        guard let mask else { return body(Kernels.Dropout()) }
        let rows = mask.rows ?? Array(0..<count)
        precondition(rows.count == count, "a dropout mask of \(rows.count) rows does not fit \(count) rows")
        return rows.withUnsafeBufferPointer {
            body(
                Kernels.Dropout(
                    key0: mask.random.key0, key1: mask.random.key1, stream: mask.random.stream,
                    threshold: UInt32(min((mask.rate * 0x1p32).rounded(), 0xffff_ffff)),
                    scale: Float(1 / (1 - mask.rate)), rows: $0.baseAddress))
        }
    }
}

extension Tensor {
    /// The elements that a mask leaves, divided by 1 − rate; zeros elsewhere. A row is a run of the last axis; element t of row r of the mask
    /// has word t mod 4 of block r · 2³² + ⌊t / 4⌋ of the mask's generator.
    public func dropped(_ mask: DropoutMask) -> Tensor {
        guard mask.rate > 0, count > 0 else { return self }
        return recorded(as: Dropout.apply(mask, self)) { .dropout(Dropout(mask: mask, place: $0)) }
    }
}

struct Dropout {
    let mask: DropoutMask
    let place: Int

    static func apply(_ mask: DropoutMask, _ input: Tensor) -> Tensor {
        let kernels = Kernels.current
        let x = input.widened()
        let width = x.shape.width
        let rows = x.count / width
        return Tensor.uninitialized(x.shape) { out in
            DropoutMask.withKernel(of: mask, rows: rows) { call in
                // making random bits costs about eight times as much as copying numbers
                Compute.forRows(rows, width: 8 * width) { part in
                    withUnsafePointer(to: call) { call in
                        for row in part {
                            kernels.pointee.dropout(
                                width, UInt64(call.pointee.rows[row]), call, x.pointer + row * width, out + row * width)
                        }
                    }
                }
            }
        }
    }

    func backward(_ gradient: Tensor, on tape: Tape) { tape.add(Dropout.apply(mask, gradient), to: place) }
}
