/// The merges of a byte-pair encoding: a map from a pair of symbols to its rank and the merged symbol.
struct MergeTable: Sendable {
    /// The rank of a merge and the symbol that it produces. The lowest rank is merged first.
    struct Merge: Sendable, Equatable {
        var rank: Int32
        var result: Int32
    }

    private var keys: [UInt64]
    private var values: [Merge]
    private(set) var count = 0

    private static let empty = UInt64.max

    init(capacity: Int) {
        var slots = 16
        while slots < capacity * 2 + 2 { slots *= 2 }
        keys = Array(repeating: Self.empty, count: slots)
        values = Array(repeating: Merge(rank: 0, result: 0), count: slots)
    }

    /// Adds a merge. If a pair is listed twice, its later rank is used, as in Hugging Face `tokenizers`.
    ///
    /// - Returns: `false` if the pair was already present.
    mutating func insert(left: Int32, right: Int32, _ merge: Merge) -> Bool {
        precondition((count + 1) * 2 <= keys.count, "more merges than the table was made for")
        let key = Self.key(left, right)
        let slot = self.slot(of: key)
        if keys[slot] == key {
            values[slot] = merge
            return false
        }
        keys[slot] = key
        values[slot] = merge
        count += 1
        return true
    }

    /// The merge of a pair; nil if there is none.
    @inline(__always)
    subscript(left: Int32, right: Int32) -> Merge? {
        let key = Self.key(left, right)
        let slot = self.slot(of: key)
        return keys[slot] == key ? values[slot] : nil
    }

    /// All merges in the order of their ranks.
    var sorted: [(left: Int32, right: Int32, merge: Merge)] {
        var result: [(left: Int32, right: Int32, merge: Merge)] = []
        result.reserveCapacity(count)
        for (key, merge) in zip(keys, values) where key != Self.empty {
            result.append((Int32(truncatingIfNeeded: key >> 32), Int32(truncatingIfNeeded: key), merge))
        }
        return result.sorted {
            ($0.merge.rank, $0.left, $0.right) < ($1.merge.rank, $1.left, $1.right)
        }
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// The slot that contains a key, or the empty slot for it.
    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: ByteHash.fold(key ^ ByteHash.seed)) & mask
        while keys[slot] != key, keys[slot] != Self.empty { slot = (slot + 1) & mask }
        return slot
    }
}
