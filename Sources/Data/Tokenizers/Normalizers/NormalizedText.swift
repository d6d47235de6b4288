/// Text on its way through the normalizers.
struct NormalizedText {
    /// UTF-8.
    private(set) var bytes: [UInt8] = []
    /// Whether the first character stands for the first character given: false once something was removed before it.
    private(set) var keepsStart = true
    /// The other of two buffers that take turns.
    private var spare: [UInt8] = []

    /// Starts anew.
    mutating func reset(to text: UnsafeBufferPointer<UInt8>) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: text)
        keepsStart = true
    }

    /// Writes the text anew.
    ///
    /// - Parameter body: Appends what becomes of the text.
    @inline(__always)
    mutating func rewrite(_ body: (UnsafeBufferPointer<UInt8>, inout [UInt8]) -> Void) {
        spare.removeAll(keepingCapacity: true)
        spare.reserveCapacity(bytes.count + bytes.count / 8)
        let source = bytes
        source.withUnsafeBufferPointer { body($0, &spare) }
        swap(&bytes, &spare)
    }

    /// Writes the text anew, scalar by scalar.
    ///
    /// - Parameter body: Appends what becomes of a scalar; its arguments are the scalar's value, its bytes and the
    ///   output.
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

    /// Replaces every match of a pattern.
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

    /// Takes note that what the text began with is gone.
    mutating func loseStart() {
        keepsStart = false
    }

    /// Keeps a part of the text.
    mutating func keep(_ range: Range<Int>) {
        if range.upperBound < bytes.count { bytes.removeSubrange(range.upperBound...) }
        if range.lowerBound > 0 {
            bytes.removeSubrange(..<range.lowerBound)
            keepsStart = false
        }
    }

    /// Puts bytes before the text.
    mutating func prepend(_ prefix: [UInt8]) {
        rewrite { text, output in
            output.append(contentsOf: prefix)
            output.append(contentsOf: text)
        }
    }
}
