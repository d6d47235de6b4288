import Formats
import Tensor

extension StoredTensor {
    /// A matrix in Q8_0 blocks as it lies in the mapped file, or a copy of its blocks if the rows are those of another matrix in
    /// another order; nil if the matrix is stored in another way.
    ///
    /// - Parameter keepsPacking: see ``tensor(keepsPacking:)``.
    /// - Throws: `CheckpointError.badTensor` for a scale that is NaN or infinite.
    func blockMatrix(keepsPacking: Bool) throws -> NarrowElements? {
        guard let matrix = q8Matrix else { return nil }
        guard matrix.order == nil else {
            let copy = Storage(byteCount: matrix.byteCount)
            try matrix.copy(to: copy.pointer)
            return NarrowElements(.q8, copy.pointer, count: count, keepsPacking: keepsPacking, owner: copy)
        }
        let (file, range) = (matrix.file, matrix.range)
        guard let start = UnsafeRawBufferPointer(rebasing: file.bytes[range]).baseAddress else { return nil }
        try matrix.checkFinite()
        return NarrowElements(.q8, start, count: count, keepsPacking: keepsPacking, owner: file) { file.releasePages(in: range) }
    }
}
