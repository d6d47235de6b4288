/// The division of a batch among ranks by index: each rank has consecutive examples, so that ranks 0, 1, … together have the order of
/// the batch.
package enum BatchShare {
    /// The indices of a rank's examples. The cuts are where the tokens of the batch come closest to equal shares. With more ranks
    /// than examples, some ranks have none.
    /// - Parameter tokens: the number of tokens of each example.
    package static func indices(tokens: [Int], rank: Int, of ranks: Int) -> Range<Int> {
        guard ranks > 1 else { return tokens.indices }
        // ends[i] is the number of tokens before example i
        var ends = [0]
        for count in tokens { ends.append(ends[ends.count - 1] + max(1, count)) }
        let total = ends[tokens.count]
        func cut(_ number: Int) -> Int {
            let wanted = Double(total) * Double(number) / Double(ranks)
            let next = ends.firstIndex { Double($0) >= wanted } ?? tokens.count
            guard next > 0, wanted - Double(ends[next - 1]) <= Double(ends[next]) - wanted else { return next }
            return next - 1
        }
        return cut(rank)..<cut(rank + 1)
    }

    /// The indices of a rank's examples if each `unit` consecutive examples stay together. The last unit may be shorter.
    package static func indices(tokens: [Int], unit: Int, rank: Int, of ranks: Int) -> Range<Int> {
        guard unit > 1, ranks > 1 else { return indices(tokens: tokens, rank: rank, of: ranks) }
        let sums = stride(from: 0, to: tokens.count, by: unit).map { tokens[$0..<min($0 + unit, tokens.count)].reduce(0, +) }
        let own = indices(tokens: sums, rank: rank, of: ranks)
        return min(own.lowerBound * unit, tokens.count)..<min(own.upperBound * unit, tokens.count)
    }
}
