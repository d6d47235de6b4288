import Tensor
import Testing
import Train
import _TestSupport

/// Gradients that travel while they are being completed: the sums, and the order of the exchanges.
@Suite struct GradientExchangeTests {
    private static let counts = [7, 5, 3, 9, 4]

    private static func parameters() -> [Parameter] {
        counts.enumerated().map { Parameter("p\($0.offset)", .zeros([$0.element])) }
    }

    /// The gradient of a parameter on a rank: numbers whose sum depends on the order.
    private static func gradient(_ index: Int, rank: Int) -> Tensor {
        let scale: [Float] = [1, 1e8, -1e8]
        return Tensor((0..<counts[index]).map { scale[(rank + index) % 3] * Float(1 + $0) / 3 }, shape: [counts[index]])
    }

    private static func config(_ bucket: Int, overlaps: Bool = true) -> ExchangeConfig {
        configured(ExchangeConfig()) { ($0.bucket, $0.overlaps) = (bucket, overlaps) }
    }

    /// What a rank has after a sum.
    private struct Outcome {
        var present: [Bool]
        var gradients: [[Float]?]
        var exchanges: [[Int]]
        var inBackground: Int
    }

    /// Sums gradients after they are complete.
    private static func plain(_ ranks: Int, bucket: Int, without missing: Set<Int> = []) throws -> [Outcome] {
        try ThreadCollective.run(ranks) { group in
            let recorded = RecordedCollective(group)
            let parameters = parameters()
            for index in counts.indices where !missing.contains(index) {
                parameters[index].gradient = gradient(index, rank: group.rank)
            }
            let present = try ParameterShares(parameters, among: recorded, config: config(bucket)).sumGradients()
            return Outcome(
                present: present, gradients: parameters.map { $0.gradient?.values }, exchanges: recorded.exchanges.map(\.bytes),
                inBackground: recorded.inBackground)
        }
    }

    /// Sums gradients that are completed in another order on each rank; the last rank reports none.
    private static func overlapped(
        _ ranks: Int, bucket: Int, without missing: Set<Int> = [], awaiting: Set<Int> = Set(counts.indices), overlaps: Bool = true
    ) throws -> [Outcome] {
        try ThreadCollective.run(ranks) { group in
            let recorded = RecordedCollective(group)
            let parameters = parameters()
            // what an earlier pass has left is complete from the beginning
            for index in counts.indices where !missing.contains(index) && !awaiting.contains(index) {
                parameters[index].gradient = gradient(index, rank: group.rank)
            }
            let shares = ParameterShares(parameters, among: recorded, config: config(bucket, overlaps: overlaps))
            let present = try shares.sumGradients(awaiting: counts.indices.map(awaiting.contains)) { exchange in
                let order = group.rank == 0 ? Array(counts.indices.reversed()) : Array(counts.indices)
                for index in order where awaiting.contains(index) {
                    if !missing.contains(index) { parameters[index].gradient = gradient(index, rank: group.rank) }
                    if group.rank < group.size - 1 { exchange.complete(index) }
                }
            }
            return Outcome(
                present: present, gradients: parameters.map { $0.gradient?.values }, exchanges: recorded.exchanges.map(\.bytes),
                inBackground: recorded.inBackground)
        }
    }

    @Test("the sums have the same bits, and the exchanges the same order", arguments: [2, 3], [1, 2, 4])
    func same(ranks: Int, bucket: Int) throws {
        let expected = try Self.plain(ranks, bucket: bucket)
        for (index, owner) in ParameterShares.owners(counts: Self.counts, ranks: ranks).enumerated() {
            let terms = (0..<ranks).map { Self.gradient(index, rank: $0).values }
            #expect(expected[owner].gradients[index] == terms.dropFirst().reduce(terms[0]) { zip($0, $1).map { $0 + $1 } })
        }
        for awaiting in [Set(Self.counts.indices), [0, 3]] {
            for (rank, found) in try Self.overlapped(ranks, bucket: bucket, awaiting: awaiting).enumerated() {
                #expect(found.present == expected[rank].present && found.gradients == expected[rank].gradients)
                // all buckets, and once more a byte for each parameter, which says whether there was a gradient
                let flags = Array(repeating: Self.counts.count, count: ranks)
                #expect(found.exchanges == expected[rank].exchanges + [flags])
                #expect(found.inBackground == expected[rank].exchanges.count - 1 && expected[rank].inBackground == 0)
            }
        }
        for (rank, found) in try Self.overlapped(ranks, bucket: bucket, overlaps: false).enumerated() {
            #expect(found.gradients == expected[rank].gradients && found.inBackground == 0)
        }
    }

    @Test("one bucket does not need a thread")
    func single() throws {
        let expected = try Self.plain(2, bucket: 100)
        for (rank, found) in try Self.overlapped(2, bucket: 100).enumerated() {
            #expect(found.gradients == expected[rank].gradients && found.inBackground == 0)
        }
    }

    @Test("a parameter that is awaited but gets no gradient on any rank has none afterwards", arguments: [2, 3])
    func missing(ranks: Int) throws {
        let expected = try Self.plain(ranks, bucket: 2, without: [2])
        for (rank, found) in try Self.overlapped(ranks, bucket: 2, without: [2]).enumerated() {
            #expect(found.present == [true, true, false, true, true] && found.present == expected[rank].present)
            #expect(found.gradients == expected[rank].gradients && found.gradients[2] == nil)
        }
    }

    @Test("a failed exchange ends all ranks after the backward pass", arguments: [0, 1])
    func failure(broken: Int) throws {
        let results = ThreadCollective.results(2) { group in
            let recorded = RecordedCollective(group, failingAfter: group.rank == broken ? 1 : nil)
            let parameters = Self.parameters()
            let shares = ParameterShares(parameters, among: recorded, config: Self.config(2))
            var completed = 0
            defer { #expect(completed == Self.counts.count) }
            _ = try shares.sumGradients(awaiting: parameters.map { _ in true }) { exchange in
                for index in Self.counts.indices.reversed() {
                    parameters[index].gradient = Self.gradient(index, rank: group.rank)
                    exchange.complete(index)
                    completed += 1
                }
            }
        }
        let error = CollectiveError.broken(rank: broken, message: "no cable")
        #expect(throws: error) { try results[broken].get() }
        #expect(throws: CollectiveError.rankFailed(rank: broken, message: "\(error)")) { try results[1 - broken].get() }
    }

    @Test("the memory for buckets is counted if they travel during the backward pass")
    func memory() throws {
        let bytes = try ThreadCollective.run(2) { group in
            func bytes(_ bucket: Int, overlaps: Bool) -> Int {
                ParameterShares(Self.parameters(), among: group, config: Self.config(bucket, overlaps: overlaps)).exchangeBytes
            }
            return [bytes(4, overlaps: true), bytes(4, overlaps: false), bytes(100, overlaps: true)]
        }
        // 4 floats are sent to and received from each of 2 ranks
        #expect(bytes == [[64, 0, 0], [64, 0, 0]])
        #expect(ParameterShares(Self.parameters(), among: LocalCollective()).exchangeBytes == 0)
    }
}
