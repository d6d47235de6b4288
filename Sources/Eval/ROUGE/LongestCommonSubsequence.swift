/// The longest common subsequence (LCS) of two ID sequences.
package enum LongestCommonSubsequence {
    /// The length of the LCS, by bit-parallel dynamic programming (Crochemore et al., 2001; Hyyrö, 2004), which processes 64
    /// cells per step.
    package static func length(_ first: [Int32], _ second: [Int32]) -> Int {
        guard !first.isEmpty, !second.isEmpty else { return 0 }
        var matcher = LCSMatcher(vocabularySize: Int(max(first.max() ?? 0, second.max() ?? 0)) + 1)
        matcher.load(first)
        return matcher.length(with: second)
    }

    /// The LCS lengths of all pairs of prefixes, row-major with width `second.count + 1`: row `i`, column `j` is the length for
    /// the first `i` elements of `first` and the first `j` elements of `second`.
    package static func table(_ first: [Int32], _ second: [Int32]) -> [Int32] {
        let width = second.count + 1
        var table = [Int32](repeating: 0, count: (first.count + 1) * width)
        for i in 0..<first.count {
            let above = i * width
            let row = above + width
            for j in 0..<second.count {
                table[row + j + 1] =
                    first[i] == second[j] ? table[above + j] + 1 : max(table[above + j + 1], table[row + j])
            }
        }
        return table
    }

    /// The direction of the trace-back if both directions lead to equally long subsequences; it selects one of several longest
    /// subsequences.
    package enum Tie {
        /// Step back in the first sequence.
        case first
        /// Step back in the second sequence.
        case second
    }

    /// The indices into `first` of one longest common subsequence, in ascending order.
    package static func indices(_ first: [Int32], _ second: [Int32], onTie tie: Tie) -> [Int] {
        let table = table(first, second)
        let width = second.count + 1
        var i = first.count
        var j = second.count
        var indices: [Int] = []
        while i > 0 && j > 0 {
            if first[i - 1] == second[j - 1] {
                indices.append(i - 1)
                i -= 1
                j -= 1
                continue
            }
            let withoutFirst = table[(i - 1) * width + j]
            let withoutSecond = table[i * width + j - 1]
            if withoutFirst > withoutSecond || (withoutFirst == withoutSecond && tie == .first) {
                i -= 1
            } else {
                j -= 1
            }
        }
        return indices.reversed()
    }
}

/// A sequence prepared for computing its LCS length with many others.
package struct LCSMatcher {
    /// For each ID, the bit mask of its positions in the loaded sequence, `stride` machine words each.
    private var masks: [UInt64]
    private var stride: Int
    private var loaded: [Int32] = []
    private var words = 1
    private let vocabularySize: Int
    private var row: [UInt64] = []

    /// A matcher for IDs in `0..<vocabularySize`. Sequences longer than `maximumLength` may be loaded; the tables are then
    /// reallocated.
    package init(vocabularySize: Int, maximumLength: Int = 64) {
        self.vocabularySize = vocabularySize
        stride = max(1, (maximumLength + 63) / 64)
        masks = Array(repeating: 0, count: vocabularySize * stride)
    }

    /// Sets the sequence that the following calls of ``length(with:)`` compare with.
    package mutating func load(_ sequence: [Int32]) {
        for id in loaded { for w in 0..<words { masks[Int(id) * stride + w] = 0 } }
        words = max(1, (sequence.count + 63) / 64)
        if words > stride {
            stride = words
            masks = Array(repeating: 0, count: vocabularySize * stride)
        }
        loaded = sequence
        for (position, id) in sequence.enumerated() {
            masks[Int(id) * stride + position / 64] |= 1 << UInt64(position % 64)
        }
    }

    /// The length of the LCS of the loaded sequence and `other`.
    package mutating func length(with other: [Int32]) -> Int {
        if words == 1 { return lengthInOneWord(with: other) }
        row.removeAll(keepingCapacity: true)
        row.append(contentsOf: repeatElement(~UInt64(0), count: words))
        for id in other {
            var carry = false
            for w in 0..<words {
                let vector = row[w]
                let hits = vector & masks[Int(id) * stride + w]
                let (partial, overflow) = vector.addingReportingOverflow(hits)
                let (sum, second) = partial.addingReportingOverflow(carry ? 1 : 0)
                carry = overflow || second
                row[w] = sum | (vector & ~hits)
            }
        }
        return (0..<words).reduce(0) { $0 + (~row[$1] & used(inWord: $1)).nonzeroBitCount }
    }

    private func lengthInOneWord(with other: [Int32]) -> Int {
        var vector = ~UInt64(0)
        masks.withUnsafeBufferPointer { masks in
            for id in other {
                let hits = vector & masks[Int(id) * stride]
                vector = (vector &+ hits) | (vector & ~hits)
            }
        }
        return (~vector & used(inWord: 0)).nonzeroBitCount
    }

    /// The bits of machine word `w` that represent positions of the loaded sequence.
    private func used(inWord w: Int) -> UInt64 {
        let bits = min(64, loaded.count - w * 64)
        return bits == 64 ? ~0 : (1 << UInt64(bits)) - 1
    }
}
