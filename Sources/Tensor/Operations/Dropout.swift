/// A dropout mask (Srivastava et al. 2014): each element is set to zero with probability `rate`; the others are divided by 1 −
/// rate.
///
/// Whether an element is dropped depends only on the generator and the element's position. The generator's state does not change:
/// the same mask gives the same zeros every time, and the backward pass recomputes them instead of storing them.
public struct DropoutMask: Sendable, Equatable {
    /// The dropout rate, in [0, 1).
    public let rate: Double
    /// The generator that decides which elements are dropped.
    public let random: Philox
    /// The row of the mask for each row of the tensor; nil if they are the same.
    public let rows: [Int]?

    /// Creates a mask. The rate must be in [0, 1).
    public init(rate: Double, random: Philox, rows: [Int]? = nil) {
        precondition(rate >= 0 && rate < 1, "a dropout rate must be at least 0 and below 1, not \(rate)")
        self.rate = rate
        self.random = random
        self.rows = rows
    }

    /// Calls `body` with a mask in the form that kernels read; nil drops nothing. An element is dropped if its 32 random bits are
    /// less than rate · 2³².
    /// - Parameter count: the number of rows of the tensor.
    static func withKernel<Result>(of mask: DropoutMask?, rows count: Int, _ body: (Kernels.Dropout) -> Result) -> Result {
        guard let mask else { return body(Kernels.Dropout()) }
        let rows = mask.rows ?? Array(0..<count)
        precondition(rows.count == count, "a dropout mask of \(rows.count) rows does not match \(count) rows")
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
    /// Applies dropout: zeros the elements that the mask drops and divides the others by 1 − rate. A row is a run of the last
    /// axis. Element t of row r of the mask uses word t mod 4 of block r · 2³² + ⌊t / 4⌋ of the mask's generator.
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
                // generating random bits costs about eight times as much as copying floats
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
