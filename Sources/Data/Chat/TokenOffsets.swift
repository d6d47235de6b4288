/// The offsets of a text's tokens, in code points, as Hugging Face's `tokenizers` reports them.
///
/// The tokens are matched against the text one after the other. If they do not match, because a normalizer changed the
/// text, there are no offsets.
struct TokenOffsets {
    /// The range of each token in the text, in code points.
    let ranges: [Range<Int>]

    /// Computes the offsets; nil if the tokens do not match the text.
    /// - Parameters:
    ///   - ids: The token IDs of the text, without special tokens added around it.
    ///   - text: The text.
    ///   - tokenizer: The tokenizer that encoded it.
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
        // white space at the end of the text may belong to no token
        guard position == bytes.count || bytes[position...].allSatisfy({ $0 == UInt8(ascii: " ") }) else { return nil }
        self.ranges = ranges
    }

    /// For each token, whether it overlaps one of the given ranges, which must be in ascending order; like
    /// `return_assistant_tokens_mask` in Transformers.
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

/// The text that a token stands for, and how to match it.
struct TokenPiece {
    /// The UTF-8 bytes of the token's text.
    var bytes: [UInt8]
    /// Whether its first byte may be a space that the tokenizer added and the text lacks.
    var mayLackSpace = false
    /// Whether the token absorbs white space to its left or right.
    var stripsLeft = false
    var stripsRight = false
    /// The number of spaces at its start and end, if it is spelled in the byte-level alphabet.
    var leadingSpaces = 0
    var trailingSpaces = 0

    /// The token's byte range in a text at `position`; nil if the text does not match there.
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

    /// The range without spaces at its ends, if the post-processor trims offsets.
    func trimmed(_ range: Range<Int>, trims: OffsetTrimming?, isFirst: Bool) -> Range<Int> {
        guard let trims, leadingSpaces > 0 || trailingSpaces > 0 else { return range }
        var (start, end) = (range.lowerBound, range.upperBound)
        if !(isFirst && trims.addsPrefixSpace) { start = min(start + leadingSpaces, end) }
        if trailingSpaces > 0, end >= trailingSpaces { end = max(end - trailingSpaces, start) }
        return start..<end
    }
}

/// A post-processor's setting to exclude spaces from the offsets of tokens (`trim_offsets`).
struct OffsetTrimming: Sendable {
    /// Whether a space was added before the text (`add_prefix_space`), so that the first token's leading space is not
    /// trimmed.
    var addsPrefixSpace: Bool
}
