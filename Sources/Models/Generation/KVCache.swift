import Tensor

/// The keys and values of tokens that have been processed, layer by layer, so that a new token costs one row and not a sequence.
///
/// Where products multiply bfloat16 (`Compute.precision`), the cache keeps bfloat16, too: half the memory, and half of what a step of
/// decoding reads. Rows are handed out in contiguous ranges, so that one attention layout describes cached and new rows alike, and several
/// continuations can point at the rows of one prompt.
public final class KVCache {
    /// Keys and values [capacity, width] of every layer. They are written to in place: they are never on a tape, and the generator is
    /// their only user.
    private enum Rows {
        case floats(keys: [Tensor], values: [Tensor])
        case narrow(keys: [NarrowElements], values: [NarrowElements])
    }

    /// The rows of every layer.
    public let capacity: Int
    private let width: Int
    private let rows: Rows
    private var free: [Range<Int>]

    /// A cache of `capacity` rows for a decoder's layers, in the precision of the scope.
    public init(for shape: DecoderShape, capacity: Int) {
        self.capacity = capacity
        width = shape.keyHeads * shape.headDim
        let width = width
        func perLayer<Numbers>(_ make: () -> Numbers) -> [Numbers] { (0..<shape.layerCount).map { _ in make() } }
        switch Compute.precision {
        case .f32:
            let make = { Tensor.uninitialized([capacity, width]) { _ in } }
            rows = .floats(keys: perLayer(make), values: perLayer(make))
        case .bf16:
            let make = { NarrowElements(count: capacity * width) { _ in } }
            rows = .narrow(keys: perLayer(make), values: perLayer(make))
        }
        free = [0..<capacity]
    }

    /// The bytes of a row in all layers, in the precision of the scope.
    static func rowBytes(for shape: DecoderShape) -> Int {
        2 * shape.layerCount * shape.keyHeads * shape.headDim * (Compute.precision == .bf16 ? 2 : 4)
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

    /// Stores the keys and values of new rows.
    func extend(layer: Int, keys newKeys: Tensor, values newValues: Tensor, at places: [Int]) {
        for (i, row) in places.enumerated() {
            let (keys, values) = (newKeys.pointer + i * width, newValues.pointer + i * width)
            switch rows {
            case .floats(let allKeys, let allValues):
                (allKeys[layer].mutablePointer + row * width).update(from: keys, count: width)
                (allValues[layer].mutablePointer + row * width).update(from: values, count: width)
            case .narrow(let allKeys, let allValues):
                allKeys[layer].round(keys, into: row * width..<(row + 1) * width)
                allValues[layer].round(values, into: row * width..<(row + 1) * width)
            }
        }
        withExtendedLifetime((newKeys, newValues)) {}
    }

    /// Attention of few queries of every segment over rows of the cache.
    func attention(
        _ queries: Tensor, layer: Int, layout: AttentionLayout, heads: Int, keyHeads: Int, scores: AttentionScores
    ) -> Tensor {
        switch rows {
        case .floats(let keys, let values):
            queries.attending(
                keys: keys[layer], values: values[layer], layout: layout, heads: heads, keyHeads: keyHeads, scores: scores)
        case .narrow(let keys, let values):
            queries.attending(
                keys: keys[layer], values: values[layer], layout: layout, heads: heads, keyHeads: keyHeads, scores: scores)
        }
    }
}
