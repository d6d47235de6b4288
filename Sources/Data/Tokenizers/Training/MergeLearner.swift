import HeapModule

/// The words of a corpus as symbols, with the counts of adjacent pairs, while pairs are merged.
struct MergeLearner {
    /// Two adjacent symbols.
    struct Pair: Hashable {
        var left: Int32
        var right: Int32
    }

    /// A pair in the queue; its count may be outdated.
    private struct Candidate: Comparable {
        var count: Int
        var pair: Pair

        static func < (left: Candidate, right: Candidate) -> Bool {
            if left.count != right.count { return left.count < right.count }
            if left.pair.left != right.pair.left { return left.pair.left > right.pair.left }
            return left.pair.right > right.pair.right
        }
    }

    /// The symbols of all words one after the other. A word shrinks in place.
    private var symbols: [Int32] = []
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private let wordCounts: [Int]

    /// The index of each pair in `counts` and `places`.
    private var numbers: [Pair: Int32] = [:]
    private var counts: [Int] = []
    /// The words in which each pair was counted. A word may be listed twice, or may no longer contain the pair.
    private var places: [[Int32]] = []
    private var queue = Heap<Candidate>()

    init(firstByte: Int32, words: WordCounts) {
        wordCounts = words.counts
        var firstSeen: [Pair] = []
        for word in 0..<Int32(words.counts.count) {
            let start = symbols.count
            starts.append(start)
            for byte in words.words.bytes(of: word) ?? [] { symbols.append(firstByte + Int32(byte)) }
            lengths.append(Int32(symbols.count - start))
            for index in stride(from: start + 1, to: symbols.count, by: 1) {
                let pair = Pair(left: symbols[index - 1], right: symbols[index])
                if add(pair, word: word) { firstSeen.append(pair) }
            }
        }
        queue = Heap(firstSeen.map { Candidate(count: counts[Int(numbers[$0] ?? 0)], pair: $0) })
    }

    /// The next pair to merge; `nil` if no pair is frequent enough.
    mutating func mostFrequentPair(atLeast minimum: Int) -> Pair? {
        while let top = queue.popMax() {
            guard top.count >= minimum, let number = numbers[top.pair] else { return nil }
            let count = counts[Int(number)]
            if count == top.count { return top.pair }
            // The queue is not updated when a count falls; a count that rose has a newer entry.
            if count < top.count, count > 0 { queue.insert(Candidate(count: count, pair: top.pair)) }
        }
        return nil
    }

    /// Excludes a pair from merging.
    mutating func discard(_ pair: Pair) {
        guard let number = numbers[pair] else { return }
        counts[Int(number)] = 0
    }

    /// Replaces a pair by `result` in all words.
    mutating func merge(_ pair: Pair, into result: Int32) {
        guard let number = numbers[pair] else { return }
        let words = places[Int(number)]
        places[Int(number)] = []
        var risen: Set<Pair> = []
        for word in words { merge(pair, into: result, word: word, &risen) }
        counts[Int(number)] = 0
        for pair in risen {
            guard let number = numbers[pair], counts[Int(number)] > 0 else { continue }
            queue.insert(Candidate(count: counts[Int(number)], pair: pair))
        }
    }

    /// Replaces a pair by `result` in one word; collects the pairs whose counts rose.
    private mutating func merge(_ pair: Pair, into result: Int32, word: Int32, _ risen: inout Set<Pair>) {
        let start = starts[Int(word)]
        let end = start + Int(lengths[Int(word)])
        var read = start
        var write = start
        while read < end {
            guard read + 1 < end, symbols[read] == pair.left, symbols[read + 1] == pair.right else {
                symbols[write] = symbols[read]
                write += 1
                read += 1
                continue
            }
            if write > start {
                let previous = symbols[write - 1]
                remove(Pair(left: previous, right: pair.left), word: word)
                let new = Pair(left: previous, right: result)
                _ = add(new, word: word)
                risen.insert(new)
            }
            if read + 2 < end {
                let next = symbols[read + 2]
                remove(Pair(left: pair.right, right: next), word: word)
                let new = Pair(left: result, right: next)
                _ = add(new, word: word)
                risen.insert(new)
            }
            symbols[write] = result
            write += 1
            read += 2
        }
        lengths[Int(word)] = Int32(write - start)
    }

    /// Counts a pair in a word. Returns true if the pair is new.
    private mutating func add(_ pair: Pair, word: Int32) -> Bool {
        if let number = numbers[pair] {
            counts[Int(number)] += wordCounts[Int(word)]
            if places[Int(number)].last != word { places[Int(number)].append(word) }
            return false
        }
        numbers[pair] = Int32(counts.count)
        counts.append(wordCounts[Int(word)])
        places.append([word])
        return true
    }

    /// Subtracts a pair in a word from its count.
    private mutating func remove(_ pair: Pair, word: Int32) {
        guard let number = numbers[pair] else { return }
        counts[Int(number)] -= wordCounts[Int(word)]
    }
}
