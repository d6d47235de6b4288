public import Models

/// A reward that need not read responses from the beginning: it goes on from the states that the policy's first layers have computed of
/// them. Rewards of any other kind see texts and tokens alone.
public protocol TrunkReadingReward: RewardFunction {
    /// One number for every request, in order, as `rewards(for:)` gives it.
    /// - Parameter trunk: the states of every request's prompt and response.
    /// - Throws: as `rewards(for:)`.
    func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double]
}

/// The states of some texts behind the first layers of a policy.
public struct TrunkStates {
    /// For every text those of its tokens, prompt + response + one closing token.
    public var texts: [TrunkRows]
    /// How many layers they have been through.
    public var layers: Int

    /// The states of texts behind some layers.
    public init(_ texts: [TrunkRows], layers: Int) {
        self.texts = texts
        self.layers = layers
    }
}

extension RewardFunction {
    /// One number for every request, in order; states behind the policy's trunk go to a reward that reads them.
    package func rewards(for requests: [RewardRequest], offering trunk: TrunkStates?) throws -> [Double] {
        guard let trunk, let reader = self as? any TrunkReadingReward else { return try rewards(for: requests) }
        return try reader.rewards(for: requests, trunk: trunk)
    }
}
