/// A set of byte strings with a leftmost-longest search.
struct ByteTrie: Sendable {
    private var edges: [UInt64: Int32] = [:]
    private var values: [Int32] = [-1]
    private var begins = [Bool](repeating: false, count: 256)

    var isEmpty: Bool { values.count == 1 }

    /// Adds a byte string. An empty string is ignored; an equal earlier string is replaced.
    mutating func insert(_ bytes: [UInt8], value: Int32) {
        guard let first = bytes.first else { return }
        begins[Int(first)] = true
        var node: Int32 = 0
        for byte in bytes {
            let key = UInt64(node) << 8 | UInt64(byte)
            if let child = edges[key] {
                node = child
            } else {
                node = Int32(values.count)
                edges[key] = node
                values.append(-1)
            }
        }
        values[Int(node)] = value
    }

    /// The longest match at the first position at or after `start` that has one.
    func firstMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (range: Range<Int>, value: Int32)? {
        var position = start
        while position < text.count {
            if begins[Int(text[position])], let (end, value) = longestMatch(in: text, at: position) {
                return (position..<end, value)
            }
            position += 1
        }
        return nil
    }

    /// The longest match that starts at `start`.
    func longestMatch(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> (end: Int, value: Int32)? {
        var best: (end: Int, value: Int32)?
        var node: Int32 = 0
        var position = start
        while position < text.count, let child = edges[UInt64(node) << 8 | UInt64(text[position])] {
            node = child
            position += 1
            if values[Int(node)] >= 0 { best = (position, values[Int(node)]) }
        }
        return best
    }
}
