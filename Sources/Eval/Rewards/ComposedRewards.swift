/// A reward computed by a closure.
public struct ClosureReward: RewardFunction {
    private let body: ([RewardRequest]) throws -> [Double]
    /// Whether the reward of a response depends on the other requests of a call.
    public let dependsOnBatch: Bool

    /// A reward for all responses of a call.
    /// - Parameters:
    ///   - dependsOnBatch: whether the reward of a response depends on the other requests of a call. Default: false.
    ///   - body: returns one number per request, in order.
    public init(dependsOnBatch: Bool = false, _ body: @escaping ([RewardRequest]) throws -> [Double]) {
        (self.dependsOnBatch, self.body) = (dependsOnBatch, body)
    }

    /// A reward for single responses.
    /// - Parameter body: receives a prompt, the response to it, and the reference answer if there is one.
    public static func each(
        _ body: @escaping (_ query: String, _ response: String, _ reference: String?) throws -> Double
    ) -> ClosureReward {
        ClosureReward { try $0.map { try body($0.query, $0.response, $0.reference) } }
    }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] { try body(requests) }
}

/// A weighted sum of rewards. Parts that can use the policy's trunk states receive them.
public struct WeightedReward: TrunkReadingReward {
    /// The rewards with their weights.
    public var parts: [(weight: Double, reward: any RewardFunction)]
    /// The names of the parts in logged metrics.
    public let names: [String]

    /// A weighted sum; without parts, the reward is 0 for every response.
    /// - Parameters:
    ///   - parts: the rewards with their weights.
    ///   - names: the names of the parts in logged metrics. Default: their indices from 0.
    public init(_ parts: [(weight: Double, reward: any RewardFunction)], names: [String]? = nil) {
        self.parts = parts
        self.names = names ?? parts.indices.map(String.init)
    }

    /// Whether a part depends on the other requests of a call.
    public var dependsOnBatch: Bool { parts.contains { $0.reward.dependsOnBatch } }

    /// The weighted sum for every request, in order.
    /// - Throws: what a part throws; ``RewardError/wrongCount(_:expected:)`` and ``RewardError/outOfRange(_:response:)`` if a
    ///   part does not return one valid reward per response.
    public func rewards(for requests: [RewardRequest]) throws -> [Double] { try sum(for: requests, trunk: nil) }

    /// The weighted sum for every request; `trunk` is passed to the parts that can use it.
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
