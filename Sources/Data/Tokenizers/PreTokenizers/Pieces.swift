/// A text in the pre-tokenizers: its bytes, and the ranges that become words of the model.
struct Pieces {
    /// The text in UTF-8. Arbitrary bytes are also possible and survive a byte-level pipeline.
    var bytes: [UInt8] = []
    /// The ranges of the pieces: ascending, disjoint and not empty. Bytes outside all ranges are dropped.
    var ranges: [Range<Int>] = []
    /// Whether the first byte comes from the first byte of the whole text.
    var startsText = true

    /// Replaces the contents by one piece that covers `text`.
    mutating func reset(to text: UnsafeBufferPointer<UInt8>, startsText: Bool) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: text)
        ranges.removeAll(keepingCapacity: true)
        if !text.isEmpty { ranges.append(0..<text.count) }
        self.startsText = startsText
    }

    /// Replaces every range by the ranges that `split` appends for it.
    mutating func split(_ split: (UnsafeBufferPointer<UInt8>, Range<Int>, inout [Range<Int>]) -> Void) {
        var result: [Range<Int>] = []
        result.reserveCapacity(max(ranges.count, bytes.count / 5))
        bytes.withUnsafeBufferPointer { buffer in
            for range in ranges { split(buffer, range, &result) }
        }
        ranges = result
    }

    /// Rewrites every piece; bytes between pieces are dropped.
    ///
    /// - Parameter rewrite: Receives all bytes, the range of a piece, whether the piece starts the whole text, and the
    ///   output, to which it appends the new contents of the piece.
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
