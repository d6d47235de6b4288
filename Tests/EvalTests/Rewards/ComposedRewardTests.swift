import Eval
import Testing

/// Rewards made of closures and of other rewards.
@Suite struct ComposedRewardTests {
    private let requests = ["one", "three", ""].map { RewardRequest(query: "q", response: $0, reference: "r") }

    @Test("a closure sees each response")
    func closures() throws {
        let length = ClosureReward.each { query, response, reference in
            #expect(query == "q" && reference == "r")
            return Double(response.count)
        }
        #expect(try length.rewards(for: requests) == [3, 5, 0])
    }

    @Test("a weighted sum adds its parts, and names one that gives too little")
    func sums() throws {
        let length = ClosureReward { $0.map { Double($0.response.count) } }
        let one = ClosureReward { $0.map { _ in 1 } }
        #expect(try WeightedReward([(0.5, length), (-2, one)]).rewards(for: requests) == [-0.5, 0.5, -2])
        #expect(try WeightedReward([]).rewards(for: requests) == [0, 0, 0])
        let none = ClosureReward { _ in [] }
        #expect(throws: RewardError.wrongCount(0, expected: 3)) {
            try WeightedReward([(1, length), (1, none)]).rewards(for: requests)
        }
        let bad = ClosureReward { $0.map { $0.response.isEmpty ? .nan : 0 } }
        #expect(throws: RewardError.self) { try WeightedReward([(1, bad)]).rewards(for: requests) }
    }
}
