/// The splitting pattern of GPT-2, written out as a scanner:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
///
/// Every character belongs to a match, so the matches cover the text.
enum GPT2Pattern {
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
        // A run of spaces: all of it at the end of the text, otherwise all but its last character, unless it is alone.
        var last = position
        while position < text.count {
            let next = classified(text, position, classes)
            if next.kind != .space { return last > start ? last : position }
            last = position
            position += next.length
        }
        return position
    }

    enum Kind {
        case letter, number, space, other
    }

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

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at an apostrophe.
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
