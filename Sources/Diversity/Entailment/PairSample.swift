import Eval

/// Which pairs of a set of texts are looked at, where looking at one is dear.
///
/// A limited sample takes the pairs with the smallest of random numbers that are functions of the seed and the two texts, so it depends
/// neither on the order of the texts nor on where a set comes from, and the mean over it estimates the mean over all pairs.
public struct PairSample: Sendable, Equatable {
    /// At most so many pairs; nil for all.
    public var limit: Int?
    /// Start of the random numbers.
    public var seed: UInt64

    /// All pairs unless there is a limit.
    public init(limit: Int? = nil, seed: UInt64 = 0) {
        precondition(limit.map { $0 > 0 } ?? true, "at least one pair is looked at, got \(limit ?? 0)")
        self.limit = limit
        self.seed = seed
    }

    /// Calls `body` with the positions i > j of every pair of the sample, in ascending order.
    func forEach(in set: [Int], of collection: TextCollection, _ body: (Int, Int) -> Void) {
        let count = set.count * (set.count - 1) / 2
        guard let limit, limit < count else {
            for i in set.indices { for j in 0..<i { body(i, j) } }
            return
        }
        let own = collection.derived("fingerprints of texts") {
            collection.texts.map { text in
                text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
            }
        }
        // copies are told apart by counting them, or all pairs of two texts would be taken or left together
        var copies: [UInt64: UInt64] = [:]
        let marks = set.map { text in
            let copy = copies[own[text], default: 0]
            copies[own[text]] = copy + 1
            return SplitMix64.mixed(SplitMix64.mixed(own[text] ^ seed) &+ copy)
        }
        // pairs below a bound that lets through a little more than the limit; now and then it takes a second try
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
