import Tensor

/// The keys and values of tokens that have been processed, layer by layer, so that a new token costs one row and not a sequence.
///
/// Where products multiply bfloat16 (`Compute.precision`), the cache keeps bfloat16, too: half the memory, and half of what a step of
/// decoding reads. Rows are handed out in contiguous ranges, so that one attention layout describes cached and new rows alike, and several
/// continuations can point at the rows of one prompt.
///
/// Layers with a window need no more of a prompt than the window reaches. They have rows of their own, as many as that takes.
public final class KVCache {
    /// Keys and values [capacity, width] of every layer. They are written to in place: they are never on a tape, and the generator is
    /// their only user.
    private enum Rows {
        case floats(keys: [Tensor], values: [Tensor])
        case narrow(keys: [NarrowElements], values: [NarrowElements])
    }

    /// How many rows there are: of layers that see everything, and of layers with a window.
    struct Capacity: Equatable {
        var whole: Int
        var windowed: Int
    }

    /// Where a text lies: its rows in layers that see everything, and in layers with a window, where the beginning of a prompt may be missing.
    struct Place {
        var whole: Range<Int>
        var windowed: Range<Int>
    }

    private let width: Int
    private let rows: Rows
    /// Whether a layer has the rows of layers with a window.
    private let isWindowed: [Bool]
    private var free: (whole: FreeRows, windowed: FreeRows)

    /// A cache for a decoder's layers, in the precision of the scope.
    /// - Parameter isWindowed: which layers keep what a window reaches and no more.
    init(for shape: DecoderShape, capacity: Capacity, isWindowed: [Bool]) {
        width = shape.keyHeads * shape.headDim
        self.isWindowed = isWindowed
        let counts = isWindowed.map { ($0 ? capacity.windowed : capacity.whole) }
        let width = width
        switch Compute.precision {
        case .f32:
            let make = { (count: Int) in Tensor.uninitialized([count, width]) { _ in } }
            rows = .floats(keys: counts.map(make), values: counts.map(make))
        case .bf16:
            let make = { (count: Int) in NarrowElements(count: count * width) { _ in } }
            rows = .narrow(keys: counts.map(make), values: counts.map(make))
        }
        free = (FreeRows(capacity.whole), FreeRows(capacity.windowed))
    }

    /// A cache of so many rows in every layer.
    public convenience init(for shape: DecoderShape, capacity: Int) {
        self.init(
            for: shape, capacity: Capacity(whole: capacity, windowed: 0), isWindowed: Array(repeating: false, count: shape.layerCount))
    }

    /// The bytes of the rows of all layers, in the precision of the scope.
    static func byteCount(for shape: DecoderShape, capacity: Capacity, isWindowed: [Bool]) -> Int {
        let rows = isWindowed.reduce(0) { $0 + ($1 ? capacity.windowed : capacity.whole) }
        return 2 * rows * shape.keyHeads * shape.headDim * (Compute.precision == .bf16 ? 2 : 4)
    }

    /// Takes consecutive rows, `windowed` of them in layers with a window; nil when no gap is large enough.
    func allocate(_ count: Int, windowed: Int) -> Place? {
        guard let whole = free.whole.take(count) else { return nil }
        guard let part = free.windowed.take(windowed) else {
            free.whole.giveBack(whole)
            return nil
        }
        return Place(whole: whole, windowed: part)
    }

    /// Gives rows back.
    func release(_ place: Place) {
        free.whole.giveBack(place.whole)
        free.windowed.giveBack(place.windowed)
    }

    /// Whether a layer has the rows of layers with a window.
    func isWindowed(layer: Int) -> Bool { isWindowed[layer] }

    /// Stores the keys and values of new rows; those without a place are left out.
    func extend(layer: Int, keys newKeys: Tensor, values newValues: Tensor, at places: [Int?]) {
        for (i, row) in places.enumerated() {
            guard let row else { continue }
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

/// Which rows of a cache nobody has.
private struct FreeRows {
    private var gaps: [Range<Int>]

    init(_ count: Int) { gaps = [0..<count] }

    /// Takes `count` consecutive rows, or nil when no gap is large enough.
    mutating func take(_ count: Int) -> Range<Int>? {
        if count == 0 { return 0..<0 }
        guard let index = gaps.firstIndex(where: { $0.count >= count }) else { return nil }
        let gap = gaps[index]
        let taken = gap.lowerBound..<gap.lowerBound + count
        if taken.upperBound == gap.upperBound { gaps.remove(at: index) } else { gaps[index] = taken.upperBound..<gap.upperBound }
        return taken
    }

    mutating func giveBack(_ rows: Range<Int>) {
        guard !rows.isEmpty else { return }
        let index = gaps.firstIndex { $0.lowerBound >= rows.upperBound } ?? gaps.count
        gaps.insert(rows, at: index)
        if index + 1 < gaps.count, gaps[index].upperBound == gaps[index + 1].lowerBound {
            gaps[index] = gaps[index].lowerBound..<gaps.remove(at: index + 1).upperBound
        }
        if index > 0, gaps[index - 1].upperBound == gaps[index].lowerBound {
            gaps[index - 1] = gaps[index - 1].lowerBound..<gaps.remove(at: index).upperBound
        }
    }
}
