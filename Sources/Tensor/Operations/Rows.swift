extension Tensor {
    /// The rows of a matrix [T, C] with the given indices, in their order: [R, C]. An index may repeat; the gradients of its
    /// copies add up.
    public func rows(_ indices: [Int]) -> Tensor {
        precondition(shape.rank == 2, "rows needs a matrix, not \(shape)")
        let (rows, width) = (shape[0], shape[1])
        for row in indices { precondition(row >= 0 && row < rows, "row \(row) is outside \(shape)") }
        let result = Tensor.uninitialized([indices.count, width]) { out in
            Compute.forRows(indices.count, width: width) { part in
                for i in part { copyFloats(indices[i] * width..<(indices[i] + 1) * width, to: out + i * width) }
            }
        }
        return recorded(as: result) { .selectRows(SelectRows(input: $0, rows: indices, shape: shape)) }
    }

    /// A range of the rows of a matrix [R, C], as a copy: [count of the range, C].
    public func rows(_ range: Range<Int>) -> Tensor { rows(Array(range)) }

    /// Concatenates matrices [Rᵢ, C] vertically: [Σ Rᵢ, C]. No gradient flows through it.
    public static func stacked(_ parts: [Tensor]) -> Tensor {
        precondition(!parts.isEmpty, "stacking needs at least one tensor")
        let width = parts[0].shape.width
        precondition(
            parts.allSatisfy { $0.shape.rank == 2 && $0.shape.width == width },
            "cannot stack \(parts.map(\.shape)): the widths differ")
        return uninitialized([parts.reduce(0) { $0 + $1.shape[0] }, width]) { out in
            var at = 0
            for part in parts {
                let first = out + at
                Compute.forRows(part.shape[0], width: width) { rows in
                    part.copyFloats(rows.lowerBound * width..<rows.upperBound * width, to: first + rows.lowerBound * width)
                }
                at += part.count
            }
        }
    }
}

struct SelectRows {
    let input: Int
    let rows: [Int]
    let shape: Shape

    func backward(_ gradient: Tensor, on tape: Tape) {
        tape.accumulate(into: input, shape: shape) { out, beta in
            if beta == 0 { Compute.clear(out, count: shape.count) }
            RowSums.add(gradient.pointer, rows: rows.count, width: shape[1], to: out) { rows[$0] }
        }
    }
}

extension Tensor {
    /// A range of the columns of a matrix [T, C], as a copy: [T, count of the range].
    public func columns(_ range: Range<Int>) -> Tensor {
        precondition(
            shape.rank == 2 && range.lowerBound >= 0 && range.upperBound <= shape[1],
            "columns \(range) are not in a matrix \(shape)")
        let (rows, width, chosen) = (shape[0], shape[1], range.count)
        let result = Tensor.uninitialized([rows, chosen]) { out in
            Compute.forRows(rows, width: chosen) { part in
                for row in part {
                    copyFloats(row * width + range.lowerBound..<row * width + range.upperBound, to: out + row * chosen)
                }
            }
        }
        return recorded(as: result) { .selectColumns(SelectColumns(input: $0, columns: range, shape: shape)) }
    }
}

extension Tensor {
    /// Concatenates matrices [R, Cᵢ] horizontally: [R, Σ Cᵢ].
    public static func joined(_ parts: [Tensor]) -> Tensor {
        precondition(!parts.isEmpty, "joining needs at least one tensor")
        let rows = parts[0].shape[0]
        precondition(
            parts.allSatisfy { $0.shape.rank == 2 && $0.shape[0] == rows }, "cannot join \(parts.map(\.shape)): the numbers of rows differ")
        let widths = parts.map { $0.shape[1] }
        let width = widths.reduce(0, +)
        let result = Tensor.uninitialized([rows, width]) { out in
            var column = 0
            for part in parts {
                let (first, chosen) = (out + column, part.shape[1])
                Compute.forRows(rows, width: chosen) { range in
                    for row in range { part.copyFloats(row * chosen..<(row + 1) * chosen, to: first + row * width) }
                }
                column += chosen
            }
        }
        return recorded(result, from: parts) { .joinColumns(JoinColumns(widths: widths, places: $0)) }
    }
}

struct JoinColumns {
    let widths: [Int]
    let places: [Int?]

    func backward(_ gradient: Tensor, on tape: Tape) {
        var column = 0
        for (width, place) in zip(widths, places) {
            if place != nil { tape.add(gradient.columns(column..<column + width), to: place) }
            column += width
        }
    }
}

struct SelectColumns {
    let input: Int
    let columns: Range<Int>
    let shape: Shape

    func backward(_ gradient: Tensor, on tape: Tape) {
        let (rows, width, chosen) = (shape[0], shape[1], columns.count)
        let kernels = Kernels.current
        tape.accumulate(into: input, shape: shape) { out, beta in
            if beta == 0 { Compute.clear(out, count: shape.count) }
            Compute.forRows(rows, width: chosen) { part in
                for row in part {
                    let target = out + row * width + columns.lowerBound
                    kernels.pointee.add(chosen, target, gradient.pointer + row * chosen, target)
                }
            }
        }
    }
}

/// The lookup of rows in a table [V, C] by token IDs.
struct Embedding {
    let table: Int
    let ids: [Int32]
    let shape: Shape

    func backward(_ gradient: Tensor, on tape: Tape) {
        tape.accumulate(into: table, shape: shape) { out, beta in
            if beta == 0 { Compute.clear(out, count: shape.count) }
            RowSums.add(gradient.pointer, rows: ids.count, width: shape[1], to: out) { Int(ids[$0]) }
        }
    }
}

extension Tensor {
    /// Embedding lookup: the rows of this table [V, C] for the given token IDs, as [T, C]. IDs may repeat; their gradients add
    /// up.
    public func embedding(of ids: [Int32]) -> Tensor {
        precondition(shape.rank == 2, "an embedding table must be a matrix, not \(shape)")
        let width = shape[1]
        for id in ids { precondition(id >= 0 && Int(id) < shape[0], "token \(id) is outside the table of \(shape[0]) rows") }
        let result = Tensor.uninitialized([ids.count, width]) { out in
            Compute.forRows(ids.count, width: width) { part in
                for i in part { copyFloats(Int(ids[i]) * width..<(Int(ids[i]) + 1) * width, to: out + i * width) }
            }
        }
        return recorded(as: result) { .embedding(Embedding(table: $0, ids: ids, shape: shape)) }
    }
}
