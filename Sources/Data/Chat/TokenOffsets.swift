/// Where the tokens of a text stand in it, in code points, as Hugging Face's tokenizers tell it.
///
/// Tokens are laid along the text one after the other. Where a normalizer changed the text so that they do not fit, there are no offsets.
struct TokenOffsets {
    /// The range of each token.
    let ranges: [Range<Int>]

    /// - Parameters:
    ///   - ids: What the tokenizer made of the text, without special tokens around it.
    init?(_ ids: [Int32], of text: String, by tokenizer: PipelineTokenizer) {
        let bytes = Array(text.utf8)
        // the code point that each byte belongs to
        var points: [Int] = []
        points.reserveCapacity(bytes.count + 1)
        var point = -1
        for byte in bytes {
            if byte & 0xC0 != 0x80 { point += 1 }
            points.append(point)
        }
        points.append(point + 1)
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(ids.count)
        var position = 0
        for id in ids {
            guard let piece = tokenizer.piece(of: id), let range = piece.range(in: bytes, from: position) else { return nil }
            position = range.upperBound
            let start = points[range.lowerBound]
            let end = range.isEmpty ? start : points[range.upperBound - 1] + 1
            ranges.append(piece.trimmed(start..<end, trims: tokenizer.trimsOffsets, isFirst: start == 0 || ranges.isEmpty))
        }
        // white space at the end may belong to no token
        guard position == bytes.count || bytes[position...].allSatisfy({ $0 == UInt8(ascii: " ") }) else { return nil }
        self.ranges = ranges
    }

    /// Which tokens overlap one of some ranges in order; as `return_assistant_tokens_mask` has it.
    func mask(of spans: [Range<Int>]) -> [Bool] {
        var mask = [Bool](repeating: false, count: ranges.count)
        var span = 0
        for (index, range) in ranges.enumerated() {
            while span < spans.count, range.lowerBound >= spans[span].upperBound { span += 1 }
            if span == spans.count { break }
            mask[index] = range.upperBound > spans[span].lowerBound
        }
        return mask
    }
}

/// What a token spells in a text.
struct TokenPiece {
    /// The bytes that it stands for.
    var bytes: [UInt8]
    /// Whether it may begin with a space that the tokenizer put there.
    var mayLackSpace = false
    /// Whether it takes white space before or behind it along.
    var stripsLeft = false
    var stripsRight = false
    /// Spaces at its ends, as the byte-level alphabet spells them.
    var leadingSpaces = 0
    var trailingSpaces = 0

    /// Where it stands in a text; nil if something else does.
    func range(in text: [UInt8], from position: Int) -> Range<Int>? {
        func matches(_ bytes: ArraySlice<UInt8>, at start: Int) -> Bool {
            start + bytes.count <= text.count && text[start..<(start + bytes.count)].elementsEqual(bytes)
        }
        var start = position
        if stripsLeft {
            while start < text.count, !matches(bytes[...], at: start), text[start] == 0x20 || (0x09...0x0D).contains(text[start]) {
                start += 1
            }
        }
        if matches(bytes[...], at: start) {
            var end = start + bytes.count
            if stripsRight { while end < text.count, text[end] == 0x20 || (0x09...0x0D).contains(text[end]) { end += 1 } }
            return position..<end
        }
        if mayLackSpace, bytes.first == 0x20, matches(bytes[1...], at: start) { return start..<(start + bytes.count - 1) }
        return nil
    }

    /// The range without spaces at its ends, where the tokenizer's post-processor leaves them out.
    func trimmed(_ range: Range<Int>, trims: OffsetTrimming?, isFirst: Bool) -> Range<Int> {
        guard let trims, leadingSpaces > 0 || trailingSpaces > 0 else { return range }
        var (start, end) = (range.lowerBound, range.upperBound)
        if !(isFirst && trims.addsPrefixSpace) { start = min(start + leadingSpaces, end) }
        if trailingSpaces > 0, end >= trailingSpaces { end = max(end - trailingSpaces, start) }
        return start..<end
    }
}

/// That a post-processor leaves spaces out of the ranges of tokens.
struct OffsetTrimming: Sendable {
    var addsPrefixSpace: Bool
}
