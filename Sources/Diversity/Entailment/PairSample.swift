import Eval
import Formats

/// Selects the pairs of a set of texts that are judged, for use where judging a pair is expensive.
///
/// A limited sample takes the pairs with the smallest random numbers, which are a function of the seed and the two texts. The
/// sample therefore depends neither on the order of the texts nor on the rest of the collection, and the mean over it estimates
/// the mean over all pairs.
public struct PairSample: Sendable, Equatable {
    /// The maximum number of pairs; nil for all.
    public var limit: Int?
    /// The seed of the random numbers.
    public var seed: UInt64

    /// A sample of at most `limit` pairs. Default: all pairs.
    public init(limit: Int? = nil, seed: UInt64 = 0) {
        precondition(limit.map { $0 > 0 } ?? true, "the limit of pairs must be at least 1, got \(limit ?? 0)")
        self.limit = limit
        self.seed = seed
    }

    /// Calls `body` with the positions `(i, j)`, i > j, of every sampled pair, in ascending order.
    func forEach(in set: [Int], of collection: TextCollection, _ body: (Int, Int) -> Void) {
        let count = set.count * (set.count - 1) / 2
        guard let limit, limit < count else {
            for i in set.indices { for j in 0..<i { body(i, j) } }
            return
        }
        let own = collection.derived("fingerprints of texts") { collection.texts.map(FNV64.hash(of:)) }
        // copies of a text are numbered; otherwise all pairs of the same two texts would be included or excluded together
        var copies: [UInt64: UInt64] = [:]
        let marks = set.map { text in
            let copy = copies[own[text], default: 0]
            copies[own[text]] = copy + 1
            return SplitMix64.mixed(SplitMix64.mixed(own[text] ^ seed) &+ copy)
        }
        // takes the pairs below a bound that selects slightly more than the limit; the bound is doubled in the rare case that
        // it selects too few
        var share = min(1, Double(limit) / Double(count) * 1.1 + 10 / Double(count))
        var chosen: [(number: UInt64, i: Int, j: Int)] = []
        while true {
            let bound = share < 1 ? UInt64(share * 0x1p64) : .max
            chosen.removeAll(keepingCapacity: true)
            for i in set.indices {
                for j in 0..<i {
                    let number = SplitMix64.mixed(marks[i] &+ marks[j])
                    if number <= bound { chosen.append((number, i, j)) }
                }
            }
            if chosen.count >= limit || share >= 1 { break }
            share = min(1, share * 2)
        }
        chosen.sort { ($0.number, $0.i, $0.j) < ($1.number, $1.i, $1.j) }
        for pair in chosen.prefix(limit).sorted(by: { ($0.i, $0.j) < ($1.i, $1.j) }) { body(pair.i, pair.j) }
    }
}
