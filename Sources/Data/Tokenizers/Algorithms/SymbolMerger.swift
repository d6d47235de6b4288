/// Applies merges to the symbols of a word: always the merge of lowest rank, and of equal ones the leftmost.
///
/// Short words are scanned for the best pair. Long words use a heap over a linked list, in O(n log n), so that a text
/// of a million characters without a space stays fast. The arrays are reused between words.
struct SymbolMerger {
    /// The symbols of the word; `merge` replaces them by the merged symbols.
    var symbols: [Int32] = []

    private var ranks: [MergeTable.Merge] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    private var heap: [UInt64] = []

    /// The number of symbols from which the heap is used.
    private static let longWord = 32

    /// Merges `symbols` until no merge applies.
    mutating func merge(with table: MergeTable) {
        if symbols.count < 2 { return }
        if symbols.count < Self.longWord {
            mergeShort(table)
        } else {
            mergeLong(table)
        }
    }

    private static let none = MergeTable.Merge(rank: .max, result: -1)

    /// Merges a short word by scanning for the best pair.
    private mutating func mergeShort(_ table: MergeTable) {
        ranks.removeAll(keepingCapacity: true)
        for index in 1..<symbols.count { ranks.append(table[symbols[index - 1], symbols[index]] ?? Self.none) }
        while !ranks.isEmpty {
            var best = 0
            var bestRank = ranks[0].rank
            for index in 1..<ranks.count where ranks[index].rank < bestRank {
                best = index
                bestRank = ranks[index].rank
            }
            if bestRank == .max { return }
            symbols[best] = ranks[best].result
            symbols.remove(at: best + 1)
            ranks.remove(at: best)
            if best > 0 { ranks[best - 1] = table[symbols[best - 1], symbols[best]] ?? Self.none }
            if best < ranks.count { ranks[best] = table[symbols[best], symbols[best + 1]] ?? Self.none }
        }
    }

    /// Merges a long word with a heap.
    private mutating func mergeLong(_ table: MergeTable) {
        let count = symbols.count
        precondition(count < Int32.max, "a word of more than 2^31 symbols")
        next.removeAll(keepingCapacity: true)
        previous.removeAll(keepingCapacity: true)
        heap.removeAll(keepingCapacity: true)
        for index in 0..<Int32(count) {
            next.append(index + 1)
            previous.append(index - 1)
        }
        for index in 0..<count - 1 {
            if let merge = table[symbols[index], symbols[index + 1]] { heap.append(Self.entry(merge.rank, index)) }
        }
        heapify()
        while let entry = pop() {
            let left = Int(entry & 0xFFFF_FFFF)
            let right = Int(next[left])
            // Skip stale entries: the symbol is gone, or its pair now has another rank.
            guard symbols[left] >= 0, right < count, let merge = table[symbols[left], symbols[right]],
                UInt64(merge.rank) == entry >> 32
            else { continue }
            symbols[left] = merge.result
            symbols[right] = -1
            next[left] = next[right]
            if Int(next[right]) < count { previous[Int(next[right])] = Int32(left) }
            if previous[left] >= 0, let merge = table[symbols[Int(previous[left])], symbols[left]] {
                push(Self.entry(merge.rank, Int(previous[left])))
            }
            if Int(next[left]) < count, let merge = table[symbols[left], symbols[Int(next[left])]] {
                push(Self.entry(merge.rank, left))
            }
        }
        symbols.removeAll { $0 < 0 }
    }

    /// A heap entry, ordered by rank and then by position.
    private static func entry(_ rank: Int32, _ position: Int) -> UInt64 {
        UInt64(rank) << 32 | UInt64(position)
    }

    // MARK: A binary heap with the smallest entry first

    private mutating func heapify() {
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(from: index) }
    }

    private mutating func push(_ entry: UInt64) {
        heap.append(entry)
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            if heap[parent] <= entry { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    private mutating func pop() -> UInt64? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            sink(from: 0)
        }
        return first
    }

    private mutating func sink(from start: Int) {
        let entry = heap[start]
        var index = start
        while true {
            var child = 2 * index + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if heap[child] >= entry { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = entry
    }
}
