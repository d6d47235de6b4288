/// A reward that a closure computes.
public struct ClosureReward: RewardFunction {
    private let body: ([RewardRequest]) throws -> [Double]

    /// - Parameter body: gives one number for every request, in order.
    public init(_ body: @escaping ([RewardRequest]) throws -> [Double]) { self.body = body }

    /// A reward that looks at one response at a time.
    /// - Parameter body: gets a prompt, the response to it, and the reference answer where there is one.
    public static func each(
        _ body: @escaping (_ query: String, _ response: String, _ reference: String?) throws -> Double
    ) -> ClosureReward {
        ClosureReward { try $0.map { try body($0.query, $0.response, $0.reference) } }
    }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] { try body(requests) }
}

/// A sum of rewards, each times a weight. Those of them that read states behind the policy's trunk get them.
public struct WeightedReward: TrunkReadingReward {
    /// The parts.
    public var parts: [(weight: Double, reward: any RewardFunction)]
    /// The names of the parts in metrics.
    public let names: [String]

    /// A sum; without parts it is 0 for every response.
    /// - Parameter names: those of the parts in metrics; numbers from 0 unless given.
    public init(_ parts: [(weight: Double, reward: any RewardFunction)], names: [String]? = nil) {
        self.parts = parts
        self.names = names ?? parts.indices.map(String.init)
    }

    /// - Throws: what a part throws; ``RewardError/wrongCount(_:expected:)`` and ``RewardError/outOfRange(_:response:)`` for what is no
    ///   reward for each response.
    public func rewards(for requests: [RewardRequest]) throws -> [Double] { try sum(for: requests, trunk: nil) }

    /// - Throws: as ``rewards(for:)``.
    public func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double] { try sum(for: requests, trunk: trunk) }

    private func sum(for requests: [RewardRequest], trunk: TrunkStates?) throws -> [Double] {
        try parts.reduce(into: Array(repeating: 0, count: requests.count)) { sums, part in
            for (index, reward) in try part.reward.checkedRewards(for: requests, offering: trunk).enumerated() {
                sums[index] += part.weight * reward
            }
        }
    }
}
