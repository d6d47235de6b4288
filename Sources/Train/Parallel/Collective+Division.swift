import Eval
import Formats

extension Collective {
    /// Runs work on this rank's part of some items, and gives all ranks the results. An item belongs to the rank that follows from its
    /// content, so that it has the same rank in every call, and a cache of that rank serves it again.
    /// - Parameters:
    ///   - contents: the bytes of every item; on all ranks the same ones.
    ///   - work: the row of numbers of each of the items with these indices; nil for an item without one.
    /// - Returns: the row of every item, in the order of the items.
    /// - Throws: as ``together(_:)``.
    package func dividing<Number: BitwiseCopyable>(
        _ contents: [[UInt8]], _ work: ([Int]) throws -> [[Number]?]
    ) throws -> [[Number]?] {
        guard size > 1 else { return try work(Array(contents.indices)) }
        var places = Array(repeating: [Int](), count: size)
        for (place, content) in contents.enumerated() { places[owner(of: content)].append(place) }
        var own: [[Number]?] = []
        try together {
            own = places[rank].isEmpty ? [] : try work(places[rank])
            precondition(own.count == places[rank].count, "\(own.count) rows for \(places[rank].count) items")
        }
        var message = ArrayBytes()
        message.append(own.map { Int32($0?.count ?? -1) })
        message.append(own.flatMap { $0 ?? [] })
        var rows = [[Number]?](repeating: nil, count: contents.count)
        for (sender, bytes) in try gather(bytes: message.bytes).enumerated() {
            var message = ArrayBytes(bytes)
            guard let counts = message.next(Int32.self), let numbers = message.next(Number.self), counts.count == places[sender].count,
                counts.reduce(0, { $0 + max(0, Int($1)) }) == numbers.count
            else { throw CollectiveError.broken(rank: sender, message: "it has divided other items; all ranks need the same input") }
            var rest = numbers[...]
            for (place, count) in zip(places[sender], counts) where count >= 0 {
                rows[place] = Array(rest.prefix(Int(count)))
                rest = rest.dropFirst(Int(count))
            }
        }
        return rows
    }

    /// The rank of an item with this content. It is a function of the bytes alone.
    private func owner(of content: [UInt8]) -> Int {
        var hash = FNV64()
        hash.add(content)
        // the low bits of the hash are spread
        return Int(SplitMix64.mixed(hash.value) % UInt64(size))
    }
}
