import Tensor
import Testing
import Train
import _TestSupport

@Suite struct ParameterSharesTests {
    @Test("each parameter goes to the rank with the fewest numbers, the largest first")
    func owners() {
        #expect(ParameterShares.owners(counts: [3, 9, 4, 4], ranks: 2) == [1, 0, 1, 1])
        #expect(ParameterShares.owners(counts: [5, 5, 5], ranks: 3) == [0, 1, 2])
        #expect(ParameterShares.owners(counts: [2, 1], ranks: 4) == [0, 1])
        #expect(ParameterShares.owners(counts: [2, 1], ranks: 1) == [0, 0])
        #expect(ParameterShares.owners(counts: [], ranks: 2) == [])
    }

    @Test("consecutive examples with about equal numbers of tokens")
    func batches() {
        func shares(_ tokens: [Int], _ ranks: Int) -> [Range<Int>] {
            (0..<ranks).map { BatchShare.indices(tokens: tokens, rank: $0, of: ranks) }
        }
        #expect(shares([1, 1, 1, 1, 1], 1) == [0..<5])
        #expect(shares([1, 1, 1, 1], 2) == [0..<2, 2..<4])
        #expect(shares([10, 1, 1, 8], 2) == [0..<1, 1..<4])
        #expect(shares([1, 1], 4).map(\.count).reduce(0, +) == 2)
        #expect(shares([], 3) == [0..<0, 0..<0, 0..<0])
        for ranks in 1...9 {
            let parts = shares([7, 3, 0, 12, 5, 5, 1], ranks)
            #expect(parts.flatMap { Array($0) } == Array(0..<7), "\(ranks) ranks")
        }
    }

    /// Three parameters of 7, 5 and 3 numbers, the last without a gradient on any rank, the second with one on rank 1 alone.
    private static func parameters(rank: Int) -> [Parameter] {
        let parameters = [7, 5, 3].enumerated().map { Parameter("p\($0.offset)", .zeros([$0.element])) }
        parameters[0].gradient = Tensor((0..<7).map { Float($0 + 10 * rank) }, shape: [7])
        if rank == 1 { parameters[1].gradient = Tensor([1, 2, 3, 4, 5], shape: [5]) }
        return parameters
    }

    @Test("the owner has the sum of all ranks' gradients, however many numbers travel at once", arguments: [1, 2, 4, 100])
    func gradients(bucket: Int) throws {
        let found = try ThreadCollective.run(3) { group in
            let parameters = Self.parameters(rank: group.rank)
            let shares = ParameterShares(parameters, among: group, config: configured(ExchangeConfig()) { $0.bucket = bucket })
            let present = try shares.sumGradients()
            return (present, parameters.map { $0.gradient?.values })
        }
        for (rank, result) in found.enumerated() {
            #expect(result.0 == [true, true, false])
            #expect(result.1[0] == (rank == 0 ? (0..<7).map { Float(3 * $0 + 30) } : nil))
            #expect(result.1[1] == (rank == 1 ? [1, 2, 3, 4, 5] : nil))
            #expect(result.1[2] == nil)
        }
    }

    @Test("all ranks have the owners' values", arguments: [1, 3, 100])
    func values(bucket: Int) throws {
        let found = try ThreadCollective.run(3) { group in
            let parameters = Self.parameters(rank: group.rank)
            let shares = ParameterShares(parameters, among: group, config: configured(ExchangeConfig()) { $0.bucket = bucket })
            for parameter in parameters { parameter.value.update { $0.update(repeating: Float(group.rank + 1)) } }
            try shares.shareValues([true, true, false])
            return parameters.map(\.value.values)
        }
        for (rank, values) in found.enumerated() {
            // the third parameter has not changed on its owner, so each rank keeps its own
            #expect(values == [Array(repeating: 1, count: 7), Array(repeating: 2, count: 5), Array(repeating: Float(rank + 1), count: 3)])
        }
    }

    @Test("rank 0 collects the tensors of all ranks")
    func gathering() throws {
        let found = try ThreadCollective.run(3) { group in
            let own =
                group.rank == 1 ? [:] : ["t\(group.rank)": Tensor([Float(group.rank), 5], shape: [1, 2]), "u\(group.rank)": Tensor(7)]
            return try group.gatherOnFirst(own).mapValues { ($0.shape, $0.values) }
        }
        #expect(Set(found[0].keys) == ["t0", "u0", "t2", "u2"])
        #expect(found[0]["t2"]?.0 == [1, 2] && found[0]["t2"]?.1 == [2, 5] && found[0]["u2"]?.1 == [7])
        #expect(found[1].isEmpty && Set(found[2].keys) == ["t2", "u2"])
    }
}
