/// A set of page numbers, one bit for each.
package struct PageSet {
    /// The pages that a word stands for.
    package static let wordPages = 64
    private var words: [UInt64] = []

    /// Creates an empty set.
    package init() {}

    /// The number of pages of a range that are in the set.
    package func count(in range: Range<Int>) -> Int {
        var count = 0
        Self.forWords(range.clamped(to: 0..<words.count * 64)) { count += (words[$0] & $1).nonzeroBitCount }
        return count
    }

    /// Adds a range of pages.
    package mutating func insert(_ range: Range<Int>) {
        let needed = (range.upperBound + 63) / 64
        if needed > words.count { words += [UInt64](repeating: 0, count: needed - words.count) }
        Self.forWords(range) { words[$0] |= $1 }
    }

    /// Removes a range of pages.
    package mutating func remove(_ range: Range<Int>) {
        Self.forWords(range.clamped(to: 0..<words.count * 64)) { words[$0] &= ~$1 }
    }

    /// The pages of a range, which must begin with a word, as numbers from its beginning. Pages of the last word may come along.
    package func part(_ range: Range<Int>) -> PageSet {
        var part = PageSet()
        part.words = Array(words.prefix((range.upperBound + 63) / 64).dropFirst(range.lowerBound / 64))
        return part
    }

    /// Calls `body` with each word that a range touches and the bits of the range in it.
    private static func forWords(_ range: Range<Int>, _ body: (Int, UInt64) -> Void) {
        guard !range.isEmpty else { return }
        let (first, last) = (range.lowerBound / 64, (range.upperBound - 1) / 64)
        for word in first...last {
            var mask = UInt64.max
            if word == first { mask &= UInt64.max << UInt64(range.lowerBound % 64) }
            if word == last { mask &= UInt64.max >> UInt64(63 - (range.upperBound - 1) % 64) }
            body(word, mask)
        }
    }
}
