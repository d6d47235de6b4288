/// A transformation of a stored tensor that is computed when its elements are read.
package enum Derivation: Sendable {
    /// A selection or permutation of rows: row i of the result is row `order[i]` of the base tensor. Rows of a vector have one
    /// element.
    case rows([Int32])
    /// The transpose of a matrix.
    case transposed
    /// A number added to every element, in 32-bit floats.
    case adding(Float)

    /// Writes the derived elements of `base` into `result` as floats.
    func fillFloats(_ result: UnsafeMutableBufferPointer<Float>, from base: StoredTensor) {
        switch self {
        case .rows(let order):
            let length = result.count / max(1, order.count)
            guard base.isReadable(inRunsOf: length), length > 0 else {
                return fill(UnsafeMutableRawBufferPointer(result), asFloatsFrom: base)
            }
            for (row, source) in order.enumerated() {
                let part = UnsafeMutableBufferPointer(rebasing: result[row * length..<(row + 1) * length])
                base.readFloats(Int(source) * length..<(Int(source) + 1) * length, into: part)
            }
        case .transposed:
            fill(UnsafeMutableRawBufferPointer(result), asFloatsFrom: base)
        case .adding(let number):
            base.fillFloats(result)
            for index in result.indices { result[index] += number }
        }
    }

    /// Writes the derived elements of `base` into `result` in the element type of `base`; sums are floats.
    func fill(_ result: UnsafeMutableRawBufferPointer, from base: StoredTensor) {
        if case .adding = self { return fillFloats(result.bindMemory(to: Float.self), from: base) }
        base.withUnsafeBytes { move($0, width: base.elementType.width, base, into: result) }
    }

    /// Fallback for tensors that cannot be read in parts: converts the whole base tensor into a temporary buffer of floats first.
    private func fill(_ result: UnsafeMutableRawBufferPointer, asFloatsFrom base: StoredTensor) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: base.count) { all in
            base.fillFloats(UnsafeMutableBufferPointer(rebasing: all[..<base.count]))
            move(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[..<(base.count * 4)]), width: 4, base, into: result)
        }
    }

    private func move(
        _ bytes: UnsafeRawBufferPointer, width: Int, _ base: StoredTensor, into result: UnsafeMutableRawBufferPointer
    ) {
        guard let from = bytes.baseAddress, let to = result.baseAddress, bytes.count > 0 else { return }
        switch self {
        case .rows(let order):
            let length = result.count / max(1, order.count)
            for (row, source) in order.enumerated() {
                precondition((Int(source) + 1) * length <= bytes.count, "row indices were validated when they were set")
                (to + row * length).copyMemory(from: from + Int(source) * length, byteCount: length)
            }
        case .transposed:
            let (rows, columns, tile) = (base.shape[0], base.shape[1], 32)
            for first in stride(from: 0, to: rows, by: tile) {
                for column in 0..<columns {
                    for row in first..<min(rows, first + tile) {
                        (to + (column * rows + row) * width).copyMemory(from: from + (row * columns + column) * width, byteCount: width)
                    }
                }
            }
        case .adding: break
        }
    }
}

extension StoredTensor {
    /// The same tensor under another name.
    package func named(_ name: String) -> StoredTensor {
        StoredTensor(name: name, elementType: elementType, shape: shape, contents: contents)
    }

    /// A selection or permutation of the rows: row i of the result is row `order[i]` of this tensor. Nil if an index is out of
    /// range or the tensor is a scalar.
    package func rows(_ order: [Int32]) -> StoredTensor? {
        guard let count = shape.first, order.allSatisfy({ $0 >= 0 && $0 < count }) else { return nil }
        return StoredTensor(
            name: name, elementType: elementType, shape: [order.count] + shape.dropFirst(), contents: .derived(self, .rows(order)))
    }

    /// The transposed matrix; nil if the tensor is not a matrix.
    package func exchanged() -> StoredTensor? {
        guard shape.count == 2 else { return nil }
        return StoredTensor(name: name, elementType: elementType, shape: shape.reversed(), contents: .derived(self, .transposed))
    }

    /// The tensor of which this one is the transpose; nil if it is not a transposed tensor.
    package var original: StoredTensor? {
        if case .derived(let base, .transposed) = contents { base } else { nil }
    }

    /// This tensor with a number added to every element, as 32-bit floats; nil for integer tensors.
    package func adding(_ number: Float) -> StoredTensor? {
        guard elementType.isReadableAsFloat else { return nil }
        return StoredTensor(name: name, elementType: .float32, shape: shape, contents: .derived(self, .adding(number)))
    }
}
