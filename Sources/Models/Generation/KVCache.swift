import Tensor

/// The keys and values of tokens that have been processed, layer by layer, so that a new token costs one row and not a sequence.
///
/// Rows are handed out in contiguous ranges, so that one attention layout describes cached and new rows alike, and several
/// continuations can point at the rows of one prompt.
public final class KVCache {
    /// The rows of every layer.
    public let capacity: Int
    private let width: Int
    private let keys: [Tensor]
    private let values: [Tensor]
    private var free: [Range<Int>]

    /// A cache of `capacity` rows for a decoder's layers.
    public init(for shape: DecoderShape, capacity: Int) {
        self.capacity = capacity
        width = shape.keyHeads * shape.headDim
        let width = width
        keys = (0..<shape.layerCount).map { _ in Tensor.uninitialized([capacity, width]) { _ in } }
        values = (0..<shape.layerCount).map { _ in Tensor.uninitialized([capacity, width]) { _ in } }
        free = [0..<capacity]
    }

    /// Takes `count` consecutive rows, or nil when no gap is large enough.
    func allocate(_ count: Int) -> Range<Int>? {
        guard let index = free.firstIndex(where: { $0.count >= count }) else { return nil }
        let gap = free[index]
        let taken = gap.lowerBound..<gap.lowerBound + count
        if taken.upperBound == gap.upperBound { free.remove(at: index) } else { free[index] = taken.upperBound..<gap.upperBound }
        return taken
    }

    /// Gives rows back.
    func release(_ rows: Range<Int>) {
        guard !rows.isEmpty else { return }
        let index = free.firstIndex { $0.lowerBound >= rows.upperBound } ?? free.count
        free.insert(rows, at: index)
        if index + 1 < free.count, free[index].upperBound == free[index + 1].lowerBound {
            free[index] = free[index].lowerBound..<free.remove(at: index + 1).upperBound
        }
        if index > 0, free[index - 1].upperBound == free[index].lowerBound {
            free[index - 1] = free[index - 1].lowerBound..<free.remove(at: index).upperBound
        }
    }

    /// Stores the keys and values of new rows and returns the whole cache of the layer.
    ///
    /// The cache's own tensors are written to in place: they are never on a tape, and the generator is their only user.
    func extend(layer: Int, keys newKeys: Tensor, values newValues: Tensor, at rows: [Int]) -> (Tensor, Tensor) {
        for (i, row) in rows.enumerated() {
            (keys[layer].mutablePointer + row * width).update(from: newKeys.pointer + i * width, count: width)
            (values[layer].mutablePointer + row * width).update(from: newValues.pointer + i * width, count: width)
        }
        return (keys[layer], values[layer])
    }
}
