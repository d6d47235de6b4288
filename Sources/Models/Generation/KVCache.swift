import Tensor

/// A key/value cache: the keys and values of processed tokens, layer by layer, so that a new token needs only one row to be
/// computed.
///
/// With bf16 matmul precision (`Compute.precision`), the cache stores bfloat16 as well, which halves its memory and the memory
/// traffic of decoding. Rows are allocated in contiguous ranges, so that one attention layout describes cached and new rows
/// alike, and several continuations can refer to the rows of one prompt.
///
/// Layers with a sliding window need only the part of a prompt that the window covers. They have a separate, smaller set of rows.
public final class KVCache {
    /// The keys and values [capacity, width] of every layer. They are written in place: they are never on a tape, and the
    /// generator is their only user.
    private enum Rows {
        case floats(keys: [Tensor], values: [Tensor])
        case narrow(keys: [NarrowElements], values: [NarrowElements])
    }

    /// The number of rows in layers without a window, and in layers with one.
    struct Capacity: Equatable {
        var whole: Int
        var windowed: Int
    }

    /// The rows of a text in layers without a window, and in layers with one, which may lack the beginning of a prompt.
    struct Place {
        var whole: Range<Int>
        var windowed: Range<Int>
    }

    private let width: Int
    private let rows: Rows
    /// Which layers use the rows for layers with a window.
    private let isWindowed: [Bool]
    private var free: (whole: FreeRows, windowed: FreeRows)

    /// Creates a cache for a decoder's layers, in the precision of the scope.
    /// - Parameters:
    ///   - shape: the dimensions of the decoder.
    ///   - capacity: the number of rows.
    ///   - isWindowed: which layers store only what their window covers.
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

    /// Creates a cache with the given number of rows in every layer.
    public convenience init(for shape: DecoderShape, capacity: Int) {
        self.init(
            for: shape, capacity: Capacity(whole: capacity, windowed: 0), isWindowed: Array(repeating: false, count: shape.layerCount))
    }

    /// The memory in bytes of the rows of all layers, in the precision of the scope.
    static func byteCount(for shape: DecoderShape, capacity: Capacity, isWindowed: [Bool]) -> Int {
        let rows = isWindowed.reduce(0) { $0 + ($1 ? capacity.windowed : capacity.whole) }
        return 2 * rows * shape.keyHeads * shape.headDim * (Compute.precision == .bf16 ? 2 : 4)
    }

    /// Allocates `count` consecutive rows, and `windowed` rows in layers with a window; nil if no gap is large enough.
    func allocate(_ count: Int, windowed: Int) -> Place? {
        guard let whole = free.whole.take(count) else { return nil }
        guard let part = free.windowed.take(windowed) else {
            free.whole.giveBack(whole)
            return nil
        }
        return Place(whole: whole, windowed: part)
    }

    /// Frees rows.
    func release(_ place: Place) {
        free.whole.giveBack(place.whole)
        free.windowed.giveBack(place.windowed)
    }

    /// Whether a layer uses the rows for layers with a window.
    func isWindowed(layer: Int) -> Bool { isWindowed[layer] }

    /// Stores the keys and values of new rows; rows without a place are skipped.
    func extend(layer: Int, keys newKeys: Tensor, values newValues: Tensor, at places: [Int?]) {
        let (width, rows) = (width, rows)
        let (keys, values) = (newKeys.pointer, newValues.pointer)
        Compute.forRows(places.count, width: 2 * width) { part in
            var index = part.lowerBound
            while index < part.upperBound {
                guard let row = places[index] else {
                    index += 1
                    continue
                }
                // consecutive rows at once
                var count = 1
                while index + count < part.upperBound, places[index + count] == row + count { count += 1 }
                let (from, to) = (index * width, row * width)
                switch rows {
                case .floats(let allKeys, let allValues):
                    (allKeys[layer].mutablePointer + to).update(from: keys + from, count: count * width)
                    (allValues[layer].mutablePointer + to).update(from: values + from, count: count * width)
                case .narrow(let allKeys, let allValues):
                    allKeys[layer].round(keys + from, into: to..<to + count * width)
                    allValues[layer].round(values + from, into: to..<to + count * width)
                }
                index += count
            }
        }
        withExtendedLifetime((newKeys, newValues)) {}
    }

    /// Computes attention of a few queries per segment over rows of the cache.
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

/// The free rows of a cache.
private struct FreeRows {
    private var gaps: [Range<Int>]

    init(_ count: Int) { gaps = [0..<count] }

    /// Allocates `count` consecutive rows; nil if no gap is large enough.
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
