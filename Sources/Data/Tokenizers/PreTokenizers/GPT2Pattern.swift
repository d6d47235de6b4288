/// GPT-2's pattern for splitting words, as a hand-written scanner:
///
/// ```
/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// ```
///
/// The matches cover the whole text.
enum GPT2Pattern {
    /// Calls `body` with all matches in order.
    static func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        UnicodeClass.basicPlane.withUnsafeBufferPointer { classes in
            var start = 0
            while start < text.count {
                let end = matchEnd(text, start, classes)
                body(start..<end)
                start = end
            }
        }
    }

    /// Appends the matches within `range`.
    static func split(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout [Range<Int>]) {
        forEachMatch(in: UnsafeBufferPointer(rebasing: bytes[range])) { match in
            output.append(range.lowerBound + match.lowerBound..<range.lowerBound + match.upperBound)
        }
    }

    /// The end of the match that begins at `start`.
    private static func matchEnd(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ classes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        if text[start] == UInt8(ascii: "'"), let end = contractionEnd(text, start) { return end }
        var position = start
        var (kind, length) = classified(text, position, classes)
        if text[start] == UInt8(ascii: " "), start + 1 < text.count {
            let (next, nextLength) = classified(text, start + 1, classes)
            if next != .space {
                position = start + 1
                (kind, length) = (next, nextLength)
            }
        }
        if kind != .space {
            repeat {
                position += length
                if position == text.count { return position }
                let next = classified(text, position, classes)
                length = next.length
                if next.kind != kind { return position }
            } while true
        }
        // A run of white space: all of it at the end of the text, otherwise without its last character unless that is
        // the only one.
        var last = position
        while position < text.count {
            let next = classified(text, position, classes)
            if next.kind != .space { return last > start ? last : position }
            last = position
            position += next.length
        }
        return position
    }

    /// The kinds of characters that the pattern distinguishes.
    enum Kind {
        case letter, number, space, other
    }

    /// The kind and the length of the character at `index`.
    @inline(__always)
    static func classified(
        _ text: UnsafeBufferPointer<UInt8>, _ index: Int, _ classes: UnsafeBufferPointer<UInt8>
    ) -> (kind: Kind, length: Int) {
        let (value, length) = UTF8Scan.scalar(text, index)
        let set = value < 0x10000 ? UnicodeClass(rawValue: classes[Int(value)]) : UnicodeClass.of(value)
        if set.contains(.letter) { return (.letter, length) }
        if set.contains(.number) { return (.number, length) }
        return (set.contains(.space) ? .space : .other, length)
    }

    /// The end of the contraction `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at an apostrophe; nil if there is none.
    private static func contractionEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
        guard start + 1 < text.count else { return nil }
        let second = start + 2 < text.count ? text[start + 2] : 0
        switch text[start + 1] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return second == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"): return second == UInt8(ascii: "l") ? start + 3 : nil
        default: return nil
        }
    }
}
