public import Models

/// A reward that can start from the hidden states that the policy's first layers have computed for the responses, instead of
/// processing them from the first layer. Other rewards only receive texts and tokens.
public protocol TrunkReadingReward: RewardFunction {
    /// One number per request, in order, equal to the result of `rewards(for:)`.
    /// - Parameters:
    ///   - requests: the responses.
    ///   - trunk: the states of every request's prompt and response.
    /// - Throws: as `rewards(for:)`.
    func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double]
}

/// The hidden states of texts after the first layers of a policy.
public struct TrunkStates {
    /// For each text, the states of its tokens: prompt, response and one closing token.
    public var texts: [TrunkRows]
    /// The number of layers that computed the states.
    public var layers: Int

    /// The states of texts after `layers` layers.
    public init(_ texts: [TrunkRows], layers: Int) {
        self.texts = texts
        self.layers = layers
    }
}

extension RewardFunction {
    /// One number per request, in order; `trunk` is passed to the reward if it can use the states.
    package func rewards(for requests: [RewardRequest], offering trunk: TrunkStates?) throws -> [Double] {
        guard let trunk, let reader = self as? any TrunkReadingReward else { return try rewards(for: requests) }
        return try reader.rewards(for: requests, trunk: trunk)
    }
}
