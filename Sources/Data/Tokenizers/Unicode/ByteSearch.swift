/// Searches for byte strings.
enum ByteSearch {
    /// The first position at or after `start` where `text` contains `pattern`; `nil` if there is none.
    @inline(__always)
    static func first(
        _ pattern: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> Int? {
        guard let head = pattern.first else { return nil }
        var position = start
        while position + pattern.count <= text.count {
            if text[position] == head, matches(pattern, text, at: position) { return position }
            position += 1
        }
        return nil
    }

    /// Whether `text` contains `pattern` at a position.
    @inline(__always)
    static func matches(
        _ pattern: UnsafeBufferPointer<UInt8>, _ text: UnsafeBufferPointer<UInt8>, at position: Int
    ) -> Bool {
        for offset in 0..<pattern.count where text[position + offset] != pattern[offset] { return false }
        return true
    }

    /// Appends `text` to `output`, with all non-overlapping occurrences of `pattern`, from left to right, replaced by
    /// `content`.
    static func replace(
        _ pattern: [UInt8], with content: [UInt8], in text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]
    ) {
        pattern.withUnsafeBufferPointer { pattern in
            var done = 0
            while let match = first(pattern, in: text, from: done) {
                output.append(contentsOf: UnsafeBufferPointer(rebasing: text[done..<match]))
                output.append(contentsOf: content)
                done = match + pattern.count
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: text[done...]))
        }
    }

    /// The text with all occurrences of `pattern` replaced by `content`.
    static func replacing(_ pattern: [UInt8], with content: [UInt8], in text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { replace(pattern, with: content, in: $0, to: &output) }
        return output
    }
}
