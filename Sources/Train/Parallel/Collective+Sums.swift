// Sums and gathers of numbers. Every sum adds the ranks' numbers in the order of the ranks, so it has the same bits on every rank
// and in every run.

extension Collective {
    /// Waits until every rank has called this function.
    /// - Throws: ``CollectiveError`` when the group is broken.
    public func barrier() throws {
        guard size > 1 else { return }
        _ = try gather([UInt8(0)])
    }

    /// Every rank's elements, by rank. All ranks give the same number of them.
    /// - Throws: ``CollectiveError`` when the group is broken.
    func gather<Element: BitwiseCopyable>(_ own: [Element]) throws -> [[Element]] {
        guard size > 1, !own.isEmpty else { return Array(repeating: own, count: size) }
        var all = Array(repeating: own[0], count: size * own.count)
        try own.withUnsafeBytes { sent in
            try all.withUnsafeMutableBytes { received in
                try exchange(
                    sending: Array(repeating: sent, count: size),
                    receiving: (0..<size).map { UnsafeMutableRawBufferPointer(rebasing: received[$0 * sent.count..<($0 + 1) * sent.count]) }
                )
            }
        }
        return (0..<size).map { Array(all[$0 * own.count..<($0 + 1) * own.count]) }
    }

    /// Every rank's bytes, by rank. The ranks may give different numbers of bytes.
    /// - Throws: ``CollectiveError`` when the group is broken.
    func gather(bytes own: [UInt8]) throws -> [[UInt8]] {
        guard size > 1 else { return [own] }
        let counts = try gather([own.count]).map { $0[0] }
        var all = [UInt8](repeating: 0, count: counts.reduce(0, +))
        try own.withUnsafeBytes { sent in
            try all.withUnsafeMutableBytes { received in
                var begin = 0
                let parts = counts.map { count in
                    defer { begin += count }
                    return UnsafeMutableRawBufferPointer(rebasing: received[begin..<begin + count])
                }
                try exchange(sending: Array(repeating: sent, count: size), receiving: parts)
            }
        }
        var rest = all[...]
        return counts.map { count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
    }

    /// The elementwise sums over all ranks. All ranks give the same number of numbers.
    /// - Throws: ``CollectiveError`` when the group is broken.
    public func sum(_ own: [Double]) throws -> [Double] {
        guard size > 1 else { return own }
        return try gather(own).reduce(own.map { _ in 0 }) { zip($0, $1).map { $0 + $1 } }
    }

    /// For each flag, whether it is set on any rank. All ranks give the same number of flags.
    /// - Throws: ``CollectiveError`` when the group is broken.
    public func any(_ own: [Bool]) throws -> [Bool] {
        guard size > 1 else { return own }
        return try gather(own.map { $0 ? UInt8(1) : 0 }).reduce(own) { zip($0, $1).map { $0 || $1 > 0 } }
    }

    /// Sums parts of vectors: rank k receives the sum over all ranks of their parts k.
    /// - Parameters:
    ///   - parts: this rank's part for each rank; `size` buffers. Part k has the same length on all ranks.
    ///   - sum: the memory for the sum of the parts with this rank's number.
    /// - Throws: ``CollectiveError`` when the group is broken.
    public func reduceScatter(_ parts: [UnsafeBufferPointer<Float>], into sum: UnsafeMutableBufferPointer<Float>) throws {
        precondition(parts.count == size && parts[rank].count == sum.count, "\(parts.count) parts for \(size) ranks")
        let count = sum.count
        let received = UnsafeMutableBufferPointer<Float>.allocate(capacity: size * count)
        defer { received.deallocate() }
        func part(_ rank: Int) -> UnsafeMutableBufferPointer<Float> {
            UnsafeMutableBufferPointer(rebasing: received[rank * count..<(rank + 1) * count])
        }
        try exchange(
            sending: parts.map { UnsafeRawBufferPointer($0) },
            receiving: (0..<size).map { UnsafeMutableRawBufferPointer(part($0)) })
        _ = sum.update(fromContentsOf: part(0))
        for rank in 1..<size {
            let part = part(rank)
            for index in 0..<count { sum[index] += part[index] }
        }
    }

    /// Sends a vector of this rank to all ranks, and receives those of all ranks.
    /// - Parameters:
    ///   - own: this rank's vector.
    ///   - all: the memory for the vector of each rank; `size` buffers, which have the lengths of the vectors.
    /// - Throws: ``CollectiveError`` when the group is broken.
    public func allGather(_ own: UnsafeBufferPointer<Float>, into all: [UnsafeMutableBufferPointer<Float>]) throws {
        precondition(all.count == size && all[rank].count == own.count, "\(all.count) vectors for \(size) ranks")
        try exchange(
            sending: Array(repeating: UnsafeRawBufferPointer(own), count: size), receiving: all.map { UnsafeMutableRawBufferPointer($0) })
    }
}
