/// The pattern for splitting words of LLaMA 3 (also GPT-4) and of Qwen 2, as a hand-written scanner:
///
/// ```
/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
/// ```
///
/// Qwen 2 has `\p{N}` instead of `\p{N}{1,3}`.
///
/// The matches cover the whole text.
struct TiktokenPattern: Sendable, Equatable {
    /// The maximum number of digits in one match.
    var digits: Int

    /// Calls `body` with all matches in order.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        UnicodeClass.basicPlane.withUnsafeBufferPointer { classes in
            var start = 0
            while start < text.count {
                let end = matchEnd(text, start, classes)
                body(start..<end)
                start = end
            }
        }
    }

    /// The end of the match that begins at `start`.
    private func matchEnd(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ classes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        let first = text[start]
        if first == UInt8(ascii: "'"), let end = Self.contractionEnd(text, start) { return end }
        let (kind, length) = GPT2Pattern.classified(text, start, classes)
        if kind == .letter { return runEnd(text, start + length, .letter, classes) }
        if kind == .number {
            var position = start + length
            for _ in 1..<digits {
                guard position < text.count else { break }
                let next = GPT2Pattern.classified(text, position, classes)
                if next.kind != .number { break }
                position += next.length
            }
            return position
        }
        let isNewline = first == 0x0A || first == 0x0D
        if !isNewline, start + length < text.count {
            let next = GPT2Pattern.classified(text, start + length, classes)
            if next.kind == .letter { return runEnd(text, start + length + next.length, .letter, classes) }
            if first == UInt8(ascii: " "), next.kind == .other {
                return newlinesEnd(text, runEnd(text, start + length + next.length, .other, classes))
            }
        }
        if kind == .other { return newlinesEnd(text, runEnd(text, start + length, .other, classes)) }
        return Self.spaceEnd(text, start, classes)
    }

    /// The end of a match that begins with a run of white space: after the run's last newline, if it has one. Otherwise
    /// the whole run at the end of the text, and elsewhere the run without its last character unless that is the only
    /// one.
    private static func spaceEnd(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ classes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        var newlineEnd: Int?
        var last = start
        var position = start
        while position < text.count {
            let next = GPT2Pattern.classified(text, position, classes)
            if next.kind != .space { break }
            last = position
            position += next.length
            if text[last] == 0x0A || text[last] == 0x0D { newlineEnd = position }
        }
        if let newlineEnd { return newlineEnd }
        return position < text.count && last > start ? last : position
    }

    /// The end of a run of characters of one kind.
    @inline(__always)
    private func runEnd(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ kind: GPT2Pattern.Kind,
        _ classes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        var position = start
        while position < text.count {
            let next = GPT2Pattern.classified(text, position, classes)
            if next.kind != kind { break }
            position += next.length
        }
        return position
    }

    /// The end of a run of newlines.
    private func newlinesEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var position = start
        while position < text.count, text[position] == 0x0A || text[position] == 0x0D { position += 1 }
        return position
    }

    /// The end of a contraction at an apostrophe, ignoring case; nil if there is none. U+017F (ſ) counts as s.
    private static func contractionEnd(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
        func lower(_ index: Int) -> UInt8 {
            guard index < text.count else { return 0 }
            let byte = text[index]
            return (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
        }
        let second = lower(start + 2)
        switch lower(start + 1) {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return second == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"): return second == UInt8(ascii: "l") ? start + 3 : nil
        case 0xC5: return second == 0xBF ? start + 3 : nil
        default: return nil
        }
    }
}
