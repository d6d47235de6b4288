import ShortFloats

/// A matrix in Q8_0 blocks (`Q8Block`) of a GGUF file: the rows of a stored tensor, or some of them in another order. Every row
/// has whole blocks.
package struct Q8Matrix {
    /// The mapped file.
    package let file: MappedFile
    /// The bytes of the stored tensor in the file.
    package let range: Range<Int>
    /// The rows of the matrix as rows of the stored tensor; nil if they are the same.
    package let order: [Int32]?
    /// The number of rows of the matrix.
    package let rows: Int
    /// The size of a row in bytes.
    package let rowByteCount: Int
    /// The name of the tensor, for errors.
    let name: String

    /// The number of bytes that a check reads before it releases their pages.
    private static let checkedAtOnce = Q8Block.byteCount << 17

    /// The size of the matrix in bytes.
    package var byteCount: Int { rows * rowByteCount }

    /// The bytes of the stored tensor.
    private var stored: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[range]) }

    /// Checks that every scale of the stored tensor is finite, and releases its pages of the file. The integers need no check.
    ///
    /// - Throws: `CheckpointError.badTensor`, which names the file and the tensor.
    package func checkFinite() throws {
        for first in stride(from: 0, to: range.count, by: Self.checkedAtOnce) {
            let part = first..<min(range.count, first + Self.checkedAtOnce)
            try check(UnsafeRawBufferPointer(rebasing: stored[part]), from: first / Q8Block.byteCount)
            file.releasePages(in: range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
        }
        // a page at the border of two parts lies in neither
        file.releasePages(in: range)
    }

    /// Copies the blocks of all rows, in the order of the matrix, to memory of ``byteCount`` bytes, and releases the pages of the
    /// file.
    ///
    /// - Throws: `CheckpointError.badTensor` for a scale that is not finite; it names the file and the tensor.
    package func copy(to destination: UnsafeMutableRawPointer) throws {
        defer { file.releasePages(in: range) }
        for row in 0..<rows {
            let first = (order.map { Int($0[row]) } ?? row) * rowByteCount
            let blocks = UnsafeRawBufferPointer(rebasing: stored[first..<first + rowByteCount])
            try check(blocks, from: row * rowByteCount / Q8Block.byteCount)
            guard let from = blocks.baseAddress else { continue }
            (destination + row * rowByteCount).copyMemory(from: from, byteCount: rowByteCount)
        }
        withExtendedLifetime(file) {}
    }

    /// Checks the scales of blocks, the first of which has the index `first` in the matrix.
    private func check(_ blocks: UnsafeRawBufferPointer, from first: Int) throws {
        guard let start = blocks.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        // NaN and infinity have all five bits of the exponent
        for block in 0..<blocks.count / Q8Block.byteCount where start[block * Q8Block.byteCount + 1] & 0x7C == 0x7C {
            let (scale, element) = (Q8Block.scale(of: start + block * Q8Block.byteCount), (first + block) * Q8Block.count)
            throw CheckpointError.badTensor(
                file: file.path, name: name,
                reason: "has the scale \(scale) for the elements from \(element) to \(element + Q8Block.count - 1); weights must be "
                    + "finite, so download or convert the file again")
        }
    }
}

extension StoredTensor {
    /// The Q8_0 blocks of this tensor; nil if it is not a matrix, has no elements, is stored in another type, or is computed from
    /// its blocks other than by a selection of rows.
    package var q8Matrix: Q8Matrix? {
        guard shape.count == 2, count > 0, shape[1] % Q8Block.count == 0 else { return nil }
        let rowByteCount = shape[1] / Q8Block.count * Q8Block.byteCount
        func matrix(_ contents: Contents, _ order: [Int32]?) -> Q8Matrix? {
            guard case .blocks(let file, let range, .q8_0) = contents else { return nil }
            return Q8Matrix(file: file, range: range, order: order, rows: shape[0], rowByteCount: rowByteCount, name: name)
        }
        if case .derived(let base, .rows(let order)) = contents { return matrix(base.contents, order) }
        return matrix(contents, nil)
    }
}
