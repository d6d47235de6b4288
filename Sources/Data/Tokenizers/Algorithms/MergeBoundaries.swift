/// The places in a text that no merge can cross.
///
/// A merge joins a symbol that ends with one character to a symbol that begins with another. If no merge joins two
/// adjacent characters, the text can be split between them, and the parts can be tokenised (and cached) separately
/// without changing the result. SentencePiece vocabularies, whose texts are not split before the model, benefit from
/// this: texts are split into word-like parts.
struct MergeBoundaries: Sendable {
    /// The pairs of characters that merges join, in an open-addressing hash table; `empty` in empty slots.
    private var slots: [UInt64]

    private static let empty = UInt64.max

    /// Collects the pairs of characters that merges join.
    /// - Parameters:
    ///   - merges: The merges.
    ///   - vocabulary: The vocabulary.
    ///   - bytes: The IDs of byte tokens.
    /// - Returns: `nil` if a merge contains a byte token, whose spelling is not part of the text.
    init?(_ merges: MergeTable, vocabulary: TokenTable, apartFrom bytes: Set<Int32>) {
        var count = 16
        while count < merges.count * 2 + 2 { count *= 2 }
        slots = Array(repeating: Self.empty, count: count)
        for merge in merges.sorted {
            guard !bytes.contains(merge.left), !bytes.contains(merge.right),
                let left = vocabulary.bytes(of: merge.left), let right = vocabulary.bytes(of: merge.right),
                !left.isEmpty, !right.isEmpty
            else { return nil }
            let last = Array(left).withUnsafeBufferPointer { UTF8Scan.scalarBefore($0, $0.count).value }
            let first = Array(right).withUnsafeBufferPointer { UTF8Scan.scalar($0, 0).value }
            let key = Self.key(last, first)
            slots[slot(of: key)] = key
        }
    }

    @inline(__always)
    private static func key(_ left: UInt32, _ right: UInt32) -> UInt64 {
        UInt64(left) << 32 | UInt64(right)
    }

    /// The slot that contains a key, or the empty slot for it.
    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: ByteHash.fold(key ^ ByteHash.seed)) & mask
        while slots[slot] != key, slots[slot] != Self.empty { slot = (slot + 1) & mask }
        return slot
    }

    /// Splits a word at boundaries and appends its parts.
    func split(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout [Range<Int>]) {
        var start = range.lowerBound
        guard start < range.upperBound else { return }
        let text = UnsafeBufferPointer(rebasing: bytes[..<range.upperBound])
        var (previous, length) = UTF8Scan.scalar(text, start)
        var position = start + length
        while position < text.count {
            let (value, length) = UTF8Scan.scalar(text, position)
            let key = Self.key(previous, value)
            if slots[slot(of: key)] != key {
                output.append(start..<position)
                start = position
            }
            previous = value
            position += length
        }
        output.append(start..<position)
    }
}
