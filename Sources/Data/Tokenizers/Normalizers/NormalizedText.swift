/// A text that the normalizers change step by step.
struct NormalizedText {
    /// The text in UTF-8.
    private(set) var bytes: [UInt8] = []
    /// Whether the first character corresponds to the first character of the input. False once something before it was
    /// removed.
    private(set) var keepsStart = true
    /// The second of two alternating buffers.
    private var spare: [UInt8] = []

    /// Replaces the text by a new input.
    mutating func reset(to text: UnsafeBufferPointer<UInt8>) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: text)
        keepsStart = true
    }

    /// Rewrites the text.
    ///
    /// - Parameter body: Receives the old text and appends the new one to the output.
    @inline(__always)
    mutating func rewrite(_ body: (UnsafeBufferPointer<UInt8>, inout [UInt8]) -> Void) {
        spare.removeAll(keepingCapacity: true)
        spare.reserveCapacity(bytes.count + bytes.count / 8)
        let source = bytes
        source.withUnsafeBufferPointer { body($0, &spare) }
        swap(&bytes, &spare)
    }

    /// Rewrites the text scalar by scalar.
    ///
    /// - Parameter body: Receives a scalar's value, its bytes and the output, to which it appends the replacement.
    @inline(__always)
    mutating func rewriteScalars(_ body: (UInt32, UnsafeBufferPointer<UInt8>, inout [UInt8]) -> Void) {
        var losesStart = false
        rewrite { text, output in
            var position = 0
            while position < text.count {
                let (value, length) = UTF8Scan.scalar(text, position)
                body(value, UnsafeBufferPointer(rebasing: text[position..<position + length]), &output)
                if position == 0, output.isEmpty { losesStart = true }
                position += length
            }
        }
        if losesStart { keepsStart = false }
    }

    /// Replaces all matches of a pattern.
    mutating func replace(_ pattern: TextPattern, with content: [UInt8]) {
        var losesStart = false
        rewrite { text, output in
            var done = 0
            pattern.forEachMatch(in: text) { match in
                if content.isEmpty, done == 0, match.lowerBound == 0, !match.isEmpty { losesStart = true }
                output.append(contentsOf: UnsafeBufferPointer(rebasing: text[done..<match.lowerBound]))
                output.append(contentsOf: content)
                done = match.upperBound
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: text[done...]))
        }
        if losesStart { keepsStart = false }
    }

    /// Records that the start of the input was removed.
    mutating func loseStart() {
        keepsStart = false
    }

    /// Keeps only a range of the text.
    mutating func keep(_ range: Range<Int>) {
        if range.upperBound < bytes.count { bytes.removeSubrange(range.upperBound...) }
        if range.lowerBound > 0 {
            bytes.removeSubrange(..<range.lowerBound)
            keepsStart = false
        }
    }

    /// Inserts bytes before the text.
    mutating func prepend(_ prefix: [UInt8]) {
        rewrite { text, output in
            output.append(contentsOf: prefix)
            output.append(contentsOf: text)
        }
    }
}
