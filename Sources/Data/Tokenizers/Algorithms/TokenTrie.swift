/// A trie of a vocabulary's tokens, to find all tokens that start at a position of a text.
struct TokenTrie: Sendable {
    /// The index of each node's first child, plus one entry for the end. The children of a node are contiguous and
    /// sorted by byte.
    private var firstChild: [Int32]
    /// The byte on the edge to each node.
    private var labels: [UInt8]
    /// The ID of the token that ends at each node; -1 if none does.
    private var ids: [Int32]
    /// The child of the root for each byte; 0 if there is none.
    private var roots: [Int32]

    /// Builds the trie breadth first. Empty tokens are ignored.
    init(_ vocabulary: TokenTable) {
        let tokens = (0..<Int32(vocabulary.bound)).compactMap { id in
            vocabulary.bytes(of: id).flatMap { $0.isEmpty ? nil : (id: id, bytes: Array($0)) }
        }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        firstChild = []
        labels = [0]
        ids = [-1]
        roots = Array(repeating: 0, count: 256)
        /// The ranges of tokens below each node of the current level.
        var level = [0..<tokens.count]
        var depth = 0
        while !level.isEmpty {
            var next: [Range<Int>] = []
            for range in level {
                firstChild.append(Int32(labels.count))
                var start = range.lowerBound
                // the token that ends here is the first in the range
                if start < range.upperBound, tokens[start].bytes.count == depth { start += 1 }
                while start < range.upperBound {
                    let byte = tokens[start].bytes[depth]
                    var end = start + 1
                    while end < range.upperBound, tokens[end].bytes[depth] == byte { end += 1 }
                    if depth == 0 { roots[Int(byte)] = Int32(labels.count) }
                    labels.append(byte)
                    ids.append(tokens[start].bytes.count == depth + 1 ? tokens[start].id : -1)
                    next.append(start..<end)
                    start = end
                }
            }
            level = next
            depth += 1
        }
        firstChild.append(Int32(labels.count))
    }

    /// Calls `body` with the ID and the end of every token that starts at `start`, the shortest first.
    @inline(__always)
    func forEachToken(in text: UnsafeBufferPointer<UInt8>, at start: Int, _ body: (Int32, Int) -> Void) {
        var node = roots[Int(text[start])]
        var position = start + 1
        while node > 0 {
            if ids[Int(node)] >= 0 { body(ids[Int(node)], position) }
            if position == text.count { return }
            node = child(of: node, text[position])
            position += 1
        }
    }

    /// The child of a node for a byte; 0 if there is none.
    @inline(__always)
    private func child(of node: Int32, _ byte: UInt8) -> Int32 {
        var (low, high) = (firstChild[Int(node)], firstChild[Int(node) + 1])
        while high - low > 4 {
            let middle = (low + high) / 2
            if labels[Int(middle)] <= byte { low = middle } else { high = middle }
        }
        while low < high {
            if labels[Int(low)] == byte { return low }
            low += 1
        }
        return 0
    }
}
