import Eval

/// The n-grams of many texts as dense IDs, computed once. Sets of texts are then measured by counting IDs.
///
/// Order n is built from order n − 1: an n-gram is the pair of the ID of its first n − 1 words and its last word. IDs are
/// therefore exact, without hash collisions, and each n-gram costs one table look-up.
package struct NGramIndex: Sendable {
    /// The highest order.
    package let maximumOrder: Int
    /// `ids[n − 1]`: the n-gram IDs of order n of all texts, concatenated.
    private let ids: [[Int32]]
    /// `starts[n − 1][t] ..< starts[n − 1][t + 1]` are the n-grams of text t.
    private let starts: [[Int]]
    /// The number of distinct n-grams of each order.
    private let distinct: [Int]
    /// Scratch space: for each ID the number of the last count in which it was seen.
    private var stamps: [[UInt32]]
    private var stamp: UInt32 = 0

    package init(_ texts: [String], maximumOrder: Int, tokenisation: NGramTokenisation) {
        self.init(texts, maximumOrder: maximumOrder) { text, table in tokenisation.ids(of: text, in: &table) }
    }

    /// Builds the n-grams of `texts` from the word IDs that `wordIDs` returns for each text.
    init(_ texts: [String], maximumOrder: Int, wordIDs: (String, inout WordTable) -> [Int32]) {
        precondition(maximumOrder >= 1, "n-grams need an order of at least 1, got \(maximumOrder)")
        self.maximumOrder = maximumOrder
        var table = WordTable()
        var words: [Int32] = []
        var wordStarts = [0]
        for text in texts {
            words += wordIDs(text, &table)
            wordStarts.append(words.count)
        }
        var ids = [words]
        var starts = [wordStarts]
        var distinct = [table.count]
        for order in stride(from: 2, through: maximumOrder, by: 1) {
            var pairs = PairTable(minimumCapacity: words.count)
            let shorter = ids[order - 2]
            let shorterStarts = starts[order - 2]
            var longer: [Int32] = []
            var longerStarts = [0]
            longer.reserveCapacity(shorter.count)
            for t in 0..<texts.count {
                let first = shorterStarts[t]
                for k in 0..<max(0, shorterStarts[t + 1] - first - 1) {
                    longer.append(pairs.id(of: shorter[first + k], words[wordStarts[t] + k + order - 1]))
                }
                longerStarts.append(longer.count)
            }
            ids.append(longer)
            starts.append(longerStarts)
            distinct.append(pairs.count)
        }
        self.ids = ids
        self.starts = starts
        self.distinct = distinct
        stamps = distinct.map { Array(repeating: 0, count: $0) }
    }

    /// The n-gram ids of one text, in the order of the text.
    package func ngrams(of text: Int, order: Int) -> ArraySlice<Int32> {
        ids[order - 1][starts[order - 1][text]..<starts[order - 1][text + 1]]
    }

    /// The number of distinct n-grams in the texts of `set` together, and the total number of n-grams.
    package mutating func count(_ set: [Int], order: Int) -> (unique: Int, total: Int) {
        if stamp == .max {
            stamps = distinct.map { Array(repeating: 0, count: $0) }
            stamp = 0
        }
        stamp += 1
        var unique = 0
        var total = 0
        let n = order - 1
        for text in set {
            let range = starts[n][text]..<starts[n][text + 1]
            total += range.count
            for i in range {
                let id = Int(ids[n][i])
                if stamps[n][id] != stamp {
                    stamps[n][id] = stamp
                    unique += 1
                }
            }
        }
        return (unique, total)
    }

    /// The distinct n-grams of one text with their counts, in ascending order of their IDs.
    package func counts(of text: Int, order: Int) -> [(id: Int32, count: Int)] {
        var counts: [(id: Int32, count: Int)] = []
        for id in ngrams(of: text, order: order).sorted() {
            if let last = counts.last, last.id == id {
                counts[counts.count - 1].count += 1
            } else {
                counts.append((id, 1))
            }
        }
        return counts
    }
}
