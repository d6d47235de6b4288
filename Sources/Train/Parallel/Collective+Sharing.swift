extension Collective {
    /// Runs work on this rank's share of some items. The shares are consecutive; see ``BatchShare``.
    /// - Parameters:
    ///   - items: the items; on all ranks the same ones.
    ///   - unit: the number of consecutive items that stay together. Default: 1.
    ///   - tokens: the number of tokens of an item.
    ///   - body: the work on some consecutive items, which may be none.
    /// - Returns: the results of all ranks, which are in the order of the items.
    /// - Throws: as ``together(_:)``.
    package func sharing<Item, Value: Codable>(
        _ items: [Item], unit: Int = 1, tokens: (Item) -> Int, _ body: ([Item]) throws -> Value
    ) throws -> [Value] {
        let own = BatchShare.indices(tokens: items.map(tokens), unit: unit, rank: rank, of: size)
        return try together { try body(Array(items[own])) }
    }

    /// Runs work on each of some items, in rounds: in a round, every rank takes the next item. The composition of an item does not
    /// depend on the number of ranks, so neither do the bits of its result.
    /// - Parameters:
    ///   - items: the items; on all ranks the same ones.
    ///   - body: the work on one item.
    ///   - each: called on all ranks with every item and its result, in the order of the items.
    /// - Throws: as ``together(_:)``.
    func inRounds<Item, Value: Codable>(
        _ items: [Item], _ body: (Item) throws -> Value, each: (Item, Value) throws -> Void
    ) throws {
        for begin in stride(from: 0, to: items.count, by: size) {
            let own = begin + rank
            let results = try together { () throws -> [Value] in own < items.count ? [try body(items[own])] : [] }
            try together { for (item, result) in zip(items[begin...], results.flatMap { $0 }) { try each(item, result) } }
        }
    }
}
