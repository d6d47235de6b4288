// RMSNorm and LayerNorm over the last axis, and rotary position embeddings.

extension Tensor {
    /// RMSNorm (Zhang & Sennrich 2019) over the last axis C, in the same shape: x / √(mean(x²) + ε) · weight, with weight [C].
    public func rmsNormalised(weight: Tensor, epsilon: Float) -> Tensor {
        let (rows, width) = (shape.rows, shape.width)
        precondition(weight.shape == [width], "a norm weight \(weight.shape) does not match \(shape)")
        let kernels = Kernels.current
        let (x, weight) = (widened(), weight.widened())
        let keep = Tensor.anyRecorded(x, weight)
        let inverse = Tensor.uninitialized([keep ? rows : 0]) { _ in }
        let result = Tensor.uninitialized(shape) { out in
            Compute.forRows(rows, width: width) { range in
                kernels.pointee.rms_norm(
                    range.count, width, x.pointer + range.lowerBound * width, weight.pointer, epsilon,
                    out + range.lowerBound * width, keep ? inverse.mutablePointer + range.lowerBound : nil)
            }
        }
        return Tensor.recorded(result, from: [x, weight]) {
            .rmsNorm(RMSNorm(x: x.detached, weight: weight.detached, inverse: inverse, places: $0))
        }
    }

    /// LayerNorm (Ba et al. 2016) over the last axis C, in the same shape: (x − mean) / √(variance + ε) · weight + bias, with
    /// weight and bias [C].
    public func layerNormalised(weight: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
        let (rows, width) = (shape.rows, shape.width)
        precondition(
            weight.shape == [width] && bias.shape == [width],
            "a norm weight \(weight.shape) and bias \(bias.shape) do not match \(shape)")
        let kernels = Kernels.current
        let (x, weight, bias) = (widened(), weight.widened(), bias.widened())
        let keep = Tensor.anyRecorded(x, weight, bias)
        let mean = Tensor.uninitialized([keep ? rows : 0]) { _ in }
        let inverse = Tensor.uninitialized([keep ? rows : 0]) { _ in }
        let result = Tensor.uninitialized(shape) { out in
            Compute.forRows(rows, width: width) { range in
                let first = range.lowerBound
                kernels.pointee.layer_norm(
                    range.count, width, x.pointer + first * width, weight.pointer, bias.pointer, epsilon, out + first * width,
                    keep ? mean.mutablePointer + first : nil, keep ? inverse.mutablePointer + first : nil)
            }
        }
        return Tensor.recorded(result, from: [x, weight, bias]) {
            .layerNorm(LayerNorm(x: x.detached, weight: weight.detached, mean: mean, inverse: inverse, places: $0))
        }
    }

    /// Rotary position embedding (Su et al. 2021) of this matrix [T, heads·D]: rotates the first `table.dim` channels of each
    /// head, in pairs, by angles proportional to the token's position. The other channels are unchanged.
    /// - Parameters:
    ///   - heads: the number of heads.
    ///   - positions: the position of each row, T in all.
    ///   - table: the cosines and sines of every position.
    ///   - pairs: which channels are rotated together.
    /// - Returns: a matrix of the same shape.
    public func rotated(heads: Int, positions: [Int32], table: RotaryTable, pairs: RotaryPairs = .halves) -> Tensor {
        precondition(
            shape.rank == 2 && shape[1] % heads == 0 && shape[1] / heads >= table.dim && positions.count == shape[0],
            "rotary needs [T, \(heads)·\(table.dim) or more] and T positions, not \(shape) and \(positions.count)")
        precondition(
            positions.allSatisfy { $0 >= 0 && Int($0) < table.positions },
            "a position lies outside the rotary table of \(table.positions)")
        let result = Rotary.rotate(
            widened(), heads: heads, positions: positions, table: table, pairs: pairs, direction: 1)
        return recorded(as: result) { .rotary(Rotary(input: $0, heads: heads, positions: positions, table: table, pairs: pairs)) }
    }
}

/// Which of the `dim` rotated channels of a head form a pair in rotary position embeddings.
public enum RotaryPairs: Sendable, Equatable {
    /// Channels i and i + dim/2, as in LLaMA and most later families.
    case halves
    /// Channels 2i and 2i + 1, as in GPT-J.
    case neighbours
}

/// The cosines and sines of a rotary position embedding, for every position and frequency.
public struct RotaryTable {
    /// The number of channels of a head that are rotated.
    public let dim: Int
    /// The number of positions in the table.
    public let positions: Int
    let cosines: Tensor
    let sines: Tensor

    /// Creates a table from its cosines and sines, each [positions, dim/2].
    public init(cosines: Tensor, sines: Tensor) {
        precondition(
            cosines.shape == sines.shape && cosines.shape.rank == 2,
            "a rotary table needs two matrices of the same shape, not \(cosines.shape) and \(sines.shape)")
        dim = cosines.shape[1] * 2
        positions = cosines.shape[0]
        self.cosines = cosines.widened()
        self.sines = sines.widened()
    }
}

/// Sums per-channel gradients over rows: in chunks of 64 rows, whose sums are added in order. The bits do not depend on the
/// number of threads.
private func sumOverRows(
    _ rows: Int, width: Int, sums: Int, _ body: (Range<Int>, [UnsafeMutablePointer<Float>]) -> Void
) -> [Tensor] {
    let grain = 64
    let chunks = max(1, (rows + grain - 1) / grain)
    let partial = Tensor.zeros([chunks, sums, width])
    Compute.forChunks(rows, grain: grain) { range in
        let base = partial.mutablePointer + range.lowerBound / grain * sums * width
        body(range, (0..<sums).map { base + $0 * width })
    }
    return (0..<sums).map { sum in
        Tensor.uninitialized([width]) { out in
            out.update(from: partial.pointer + sum * width, count: width)
            for chunk in 1..<max(1, chunks) {
                Kernels.current.pointee.add(width, out, partial.pointer + (chunk * sums + sum) * width, out)
            }
        }
    }
}

struct RMSNorm {
    let x: Tensor
    let weight: Tensor
    let inverse: Tensor
    let places: [Int?]

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        let width = x.shape.width
        var dweight: [Tensor] = []
        let dx = Tensor.uninitialized(x.shape) { out in
            dweight = sumOverRows(x.shape.rows, width: width, sums: 1) { range, sums in
                let first = range.lowerBound * width
                kernels.pointee.rms_norm_backward(
                    range.count, width, x.pointer + first, weight.pointer, inverse.pointer + range.lowerBound,
                    gradient.pointer + first, out + first, places[1] == nil ? nil : sums[0])
            }
        }
        tape.add(dx, to: places[0])
        tape.add(dweight[0], to: places[1])
    }
}

struct LayerNorm {
    let x: Tensor
    let weight: Tensor
    let mean: Tensor
    let inverse: Tensor
    let places: [Int?]

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        let width = x.shape.width
        var sums: [Tensor] = []
        let dx = Tensor.uninitialized(x.shape) { out in
            sums = sumOverRows(x.shape.rows, width: width, sums: 2) { range, sums in
                let first = range.lowerBound * width
                kernels.pointee.layer_norm_backward(
                    range.count, width, x.pointer + first, weight.pointer, mean.pointer + range.lowerBound,
                    inverse.pointer + range.lowerBound, gradient.pointer + first, out + first,
                    places[1] == nil ? nil : sums[0], places[2] == nil ? nil : sums[1])
            }
        }
        tape.add(dx, to: places[0])
        tape.add(sums[0], to: places[1])
        tape.add(sums[1], to: places[2])
    }
}

struct Rotary {
    let input: Int
    let heads: Int
    let positions: [Int32]
    let table: RotaryTable
    let pairs: RotaryPairs

    static func rotate(
        _ x: Tensor, heads: Int, positions: [Int32], table: RotaryTable, pairs: RotaryPairs, direction: Float
    ) -> Tensor {
        let kernels = Kernels.current
        let width = x.shape[1]
        return Tensor.uninitialized(x.shape) { out in
            positions.withUnsafeBufferPointer { positions in
                nonisolated(unsafe) let positions = positions
                Compute.forRows(x.shape[0], width: width) { range in
                    let first = range.lowerBound * width
                    (out + first).update(from: x.pointer + first, count: range.count * width)
                    guard let base = positions.baseAddress else { return }
                    kernels.pointee.rotate(
                        range.count, heads, table.dim, width / heads, width, pairs == .neighbours ? 1 : 0, base + range.lowerBound,
                        table.cosines.pointer, table.sines.pointer, direction, out + first)
                }
            }
        }
    }

    // the backward pass of a rotation is the rotation by the opposite angle
    func backward(_ gradient: Tensor, on tape: Tape) {
        tape.add(Self.rotate(gradient, heads: heads, positions: positions, table: table, pairs: pairs, direction: -1), to: input)
    }
}
