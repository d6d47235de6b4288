// Scaling and shifting of matrix columns, and the squared norms of rows.

extension Tensor {
    /// Scales the columns of a matrix [R, C], and shifts them if `shift` is given: x[r, c] · scale[c] + shift[c], with scale and
    /// shift [C].
    package func columnsScaled(by scale: Tensor, shift: Tensor? = nil) -> Tensor {
        precondition(
            shape.rank == 2 && scale.shape == [shape[1]] && (shift.map { $0.shape == [shape[1]] } ?? true),
            "a matrix \(shape) cannot be multiplied by a row \(scale.shape) and shifted by one of \(shift?.shape ?? scale.shape)")
        let (rows, width) = (shape[0], shape[1])
        let (x, factors, shift) = (widened(), scale.widened(), shift?.widened())
        let kernels = Kernels.current
        let result = Tensor.uninitialized(shape) { out in
            Compute.forRows(rows, width: width) { part in
                for row in part {
                    let at = row * width
                    kernels.pointee.multiply(width, x.pointer + at, factors.pointer, out + at)
                    if let shift { kernels.pointee.add(width, out + at, shift.pointer, out + at) }
                }
            }
        }
        return Tensor.recorded(result, from: [x, factors, shift]) {
            .scaleColumns(
                ScaleColumns(x: $0[1] == nil ? nil : x.detached, scale: factors.detached, shape: shape, places: $0))
        }
    }

    /// The sum of squares of each row of a matrix [R, C], accumulated in double precision. No gradient flows through it.
    package func rowSumsOfSquares() -> [Double] {
        precondition(shape.rank == 2, "expected a matrix, not \(shape)")
        let (rows, width) = (shape[0], shape[1])
        let kernels = Kernels.current
        var sums = [Double](repeating: 0, count: rows)
        sums.withUnsafeMutableBufferPointer { sums in
            // each row writes its own element
            nonisolated(unsafe) let sums = sums
            Compute.forRows(rows, width: width) { part in
                for row in part {
                    sums[row] = withFloats(row * width..<(row + 1) * width) { kernels.pointee.sum_of_squares(width, $0) }
                }
            }
        }
        return sums
    }
}

struct ScaleColumns {
    let x: Tensor?
    let scale: Tensor
    let shape: Shape
    let places: [Int?]

    // dx = dy · scale, dscale = column sums of dy · x, dshift = column sums of dy
    func backward(_ gradient: Tensor, on tape: Tape) {
        let (rows, width) = (shape[0], shape[1])
        if places[0] != nil { tape.add(gradient.columnsScaled(by: scale), to: places[0]) }
        if let x { addSums(of: gradient * x, rows: rows, width: width, to: places[1], on: tape) }
        addSums(of: gradient, rows: rows, width: width, to: places[2], on: tape)
    }

    private func addSums(of matrix: @autoclosure () -> Tensor, rows: Int, width: Int, to place: Int?, on tape: Tape) {
        guard place != nil else { return }
        let matrix = matrix()
        tape.accumulate(into: place, shape: [width]) { out, beta in
            if beta == 0 { out.update(repeating: 0, count: width) }
            RowSums.add(matrix.pointer, rows: rows, width: width, to: out)
        }
    }
}
