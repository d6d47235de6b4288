/// A stretch of text on its way through the pre-tokenizers: bytes, and the ranges that become words of the model.
struct Pieces {
    /// UTF-8 (arbitrary bytes survive the byte-level pipeline).
    var bytes: [UInt8] = []
    /// Ascending, disjoint, none of them empty. Bytes outside every range are dropped.
    var ranges: [Range<Int>] = []
    /// Whether the first byte comes from the first byte of the whole text.
    var startsText = true

    /// Starts anew with one piece that covers `text`.
    mutating func reset(to text: UnsafeBufferPointer<UInt8>, startsText: Bool) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: text)
        ranges.removeAll(keepingCapacity: true)
        if !text.isEmpty { ranges.append(0..<text.count) }
        self.startsText = startsText
    }

    /// Replaces every range by what `split` makes of it; empty ranges are left out.
    mutating func split(_ split: (UnsafeBufferPointer<UInt8>, Range<Int>, inout [Range<Int>]) -> Void) {
        var result: [Range<Int>] = []
        result.reserveCapacity(max(ranges.count, bytes.count / 5))
        bytes.withUnsafeBufferPointer { buffer in
            for range in ranges { split(buffer, range, &result) }
        }
        ranges = result
    }

    /// Writes every piece anew, without the bytes between pieces.
    ///
    /// - Parameter rewrite: Appends what becomes of a piece; its arguments are all bytes, the range, whether the piece
    ///   begins the whole text, and the output.
    mutating func rewrite(_ rewrite: (UnsafeBufferPointer<UInt8>, Range<Int>, Bool, inout [UInt8]) -> Void) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + bytes.count / 4)
        var result: [Range<Int>] = []
        result.reserveCapacity(ranges.count)
        bytes.withUnsafeBufferPointer { buffer in
            for range in ranges {
                let start = output.count
                rewrite(buffer, range, startsText && range.lowerBound == 0, &output)
                if output.count > start { result.append(start..<output.count) }
            }
        }
        startsText = startsText && ranges.first?.lowerBound == 0
        bytes = output
        ranges = result
    }
}
