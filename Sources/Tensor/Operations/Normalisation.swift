// RMSNorm and LayerNorm over the last axis, and rotary position embeddings.

extension Tensor {
    /// RMSNorm (Zhang & Sennrich 2019) over the last axis C, in the same shape: x / √(mean(x²) + ε) · weight, with weight [C].
    public func rmsNormalised(weight: Tensor, epsilon: Float) -> Tensor {
        rmsNormalised(weight: weight, epsilon: epsilon, isRounded: false)
    }

    /// RMSNorm over the last axis C, in the same shape.
    /// - Parameters:
    ///   - weight: the factor of each channel, [C].
    ///   - epsilon: the number that is added to the mean square.
    ///   - isRounded: whether to make only elements rounded to bfloat16, if this is a matrix of an even width: for products that round
    ///     them (``roundsInput(rows:isTrained:)``).
    package func rmsNormalised(weight: Tensor, epsilon: Float, isRounded: Bool) -> Tensor {
        let (rows, width) = (shape.rows, shape.width)
        precondition(weight.shape == [width], "a norm weight \(weight.shape) does not match \(shape)")
        let kernels = Kernels.current
        let (x, weight) = (widened(), weight.widened())
        let keep = Tensor.anyRecorded(x, weight)
        let inverse = Tensor.uninitialized([keep ? rows : 0]) { _ in }
        let result = Tensor.normalised(shape, isRounded: isRounded) { range, out in
            kernels.pointee.rms_norm(
                range.count, width, x.pointer + range.lowerBound * width, weight.pointer, epsilon, out,
                keep ? inverse.mutablePointer + range.lowerBound : nil)
        }
        return Tensor.recorded(result, from: [x, weight]) {
            .rmsNorm(RMSNorm(x: x.detached, weight: weight.detached, inverse: inverse, places: $0))
        }
    }

    /// LayerNorm (Ba et al. 2016) over the last axis C, in the same shape: (x − mean) / √(variance + ε) · weight + bias, with
    /// weight and bias [C].
    public func layerNormalised(weight: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
        layerNormalised(weight: weight, bias: bias, epsilon: epsilon, isRounded: false)
    }

    /// LayerNorm over the last axis C, in the same shape.
    /// - Parameters:
    ///   - weight: the factor of each channel, [C].
    ///   - bias: what is added to each channel, [C].
    ///   - epsilon: the number that is added to the variance.
    ///   - isRounded: whether to make only elements rounded to bfloat16, if this is a matrix of an even width: for products that round
    ///     them (``roundsInput(rows:isTrained:)``).
    package func layerNormalised(weight: Tensor, bias: Tensor, epsilon: Float, isRounded: Bool) -> Tensor {
        let (rows, width) = (shape.rows, shape.width)
        precondition(
            weight.shape == [width] && bias.shape == [width],
            "a norm weight \(weight.shape) and bias \(bias.shape) do not match \(shape)")
        let kernels = Kernels.current
        let (x, weight, bias) = (widened(), weight.widened(), bias.widened())
        let keep = Tensor.anyRecorded(x, weight, bias)
        let mean = Tensor.uninitialized([keep ? rows : 0]) { _ in }
        let inverse = Tensor.uninitialized([keep ? rows : 0]) { _ in }
        let result = Tensor.normalised(shape, isRounded: isRounded) { range, out in
            let first = range.lowerBound
            kernels.pointee.layer_norm(
                range.count, width, x.pointer + first * width, weight.pointer, bias.pointer, epsilon, out,
                keep ? mean.mutablePointer + first : nil, keep ? inverse.mutablePointer + first : nil)
        }
        return Tensor.recorded(result, from: [x, weight, bias]) {
            .layerNorm(LayerNorm(x: x.detached, weight: weight.detached, mean: mean, inverse: inverse, places: $0))
        }
    }

    /// A tensor whose rows `body` writes, given their range and the address of the first: rounded where they are made, if that is asked
    /// for and possible.
    private static func normalised(
        _ shape: Shape, isRounded: Bool, function: StaticString = #function, file: StaticString = #fileID,
        _ body: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
    ) -> Tensor {
        let (rows, width) = (shape.rows, shape.width)
        guard isRounded, RoundedRows.canHold(shape) else {
            return Tensor.uninitialized(shape) { out in
                Compute.forRows(rows, width: width, function: function, file: file) { body($0, out + $0.lowerBound * width) }
            }
        }
        return Tensor(
            RoundedRows.making(Kernels.current, rows: rows, width: width, unit: width, function: function, file: file) {
                body($0.lowerBound / width..<$0.upperBound / width, $1[0])
            }[0])
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

/// Adds the gradient dx of the input of a function of rows to that of entry `place`, and returns the sums over rows that are computed
/// with it (``sumOverRows(_:width:sums:_:)``). dx is rounded where it is made if only products that round it read it. It is added to
/// what other functions have given while it is in the cache.
/// - Parameters:
///   - tape: the tape of the backward pass.
///   - place: the entry; nil if dx is not needed.
///   - shape: the shape of dx.
///   - sums: the number of sums.
///   - make: writes the rows of a range of dx to an address, and adds to the sums.
private func addRowGradient(
    on tape: Tape, of place: Int?, shape: Shape, sums: Int,
    _ make: (Range<Int>, UnsafeMutablePointer<Float>, [UnsafeMutablePointer<Float>]) -> Void
) -> [Tensor] {
    let kernels = Kernels.current
    let (rows, width) = (shape.rows, shape.width)
    func elements(_ rows: Range<Int>) -> Range<Int> { rows.lowerBound * width..<rows.upperBound * width }
    func range(_ elements: Range<Int>) -> Range<Int> { elements.lowerBound / width..<elements.upperBound / width }
    if tape.roundsGradient(of: place), RoundedRows.canHold(shape) {
        let dx = RoundedRows(uninitializedRows: rows, width: width)
        let results = sumOverRows(rows, width: width, sums: sums) { part, sums in
            RoundedRows.write(kernels, elements(part), of: [dx], unit: width) { make(range($0), $1[0], sums) }
        }
        tape.add(Tensor(dx), to: place)
        return results
    }
    var results: [Tensor] = []
    func write(_ out: UnsafeMutablePointer<Float>, _ beta: Float) {
        results = sumOverRows(rows, width: width, sums: sums) { part, sums in
            guard beta != 0 else { return make(part, out + part.lowerBound * width, sums) }
            RoundedRows.inParts(of: elements(part), unit: width) { part, floats in
                make(range(part), floats[0], sums)
                kernels.pointee.add(part.count, out + part.lowerBound, floats[0], out + part.lowerBound)
            }
        }
    }
    if place == nil { _ = Tensor.uninitialized(shape) { write($0, 0) } } else { tape.accumulate(into: place, shape: shape, write) }
    return results
}

struct RMSNorm {
    let x: Tensor
    let weight: Tensor
    let inverse: Tensor
    let places: [Int?]

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        let width = x.shape.width
        let dweight = addRowGradient(on: tape, of: places[0], shape: x.shape, sums: 1) { range, dx, sums in
            let first = range.lowerBound * width
            kernels.pointee.rms_norm_backward(
                range.count, width, x.pointer + first, weight.pointer, inverse.pointer + range.lowerBound, gradient.pointer + first, dx,
                places[1] == nil ? nil : sums[0])
        }
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
        let sums = addRowGradient(on: tape, of: places[0], shape: x.shape, sums: 2) { range, dx, sums in
            let first = range.lowerBound * width
            kernels.pointee.layer_norm_backward(
                range.count, width, x.pointer + first, weight.pointer, mean.pointer + range.lowerBound,
                inverse.pointer + range.lowerBound, gradient.pointer + first, dx, places[1] == nil ? nil : sums[0],
                places[2] == nil ? nil : sums[1])
        }
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
