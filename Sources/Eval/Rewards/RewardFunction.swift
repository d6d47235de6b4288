public import Tensor

/// A response to be judged, with everything that some judge may need.
public struct RewardRequest {
    /// The prompt's text.
    public var query: String
    /// The response's text, without special tokens.
    public var response: String
    /// The reference answer, when there is one.
    public var reference: String?
    /// The prompt's tokens, as the policy saw them.
    public var promptTokens: [Int32]
    /// The response's tokens, with the end-of-sequence token when it was drawn.
    public var responseTokens: [Int32]
    /// The states of all tokens of prompt + response + end behind the first layers of the policy, when they are known.
    public var trunk: Tensor?
    /// How many layers of the policy the states in `trunk` have been through.
    public var trunkLayers: Int

    /// A request; see the properties.
    public init(
        query: String, response: String, reference: String? = nil, promptTokens: [Int32] = [], responseTokens: [Int32] = [],
        trunk: Tensor? = nil, trunkLayers: Int = 0
    ) {
        self.query = query
        self.response = response
        self.reference = reference
        self.promptTokens = promptTokens
        self.responseTokens = responseTokens
        self.trunk = trunk
        self.trunkLayers = trunkLayers
    }
}

/// Something that gives every response a number, greater for better.
public protocol RewardFunction {
    /// One number for every request, in order.
    /// - Throws: ``RewardError`` for a response that cannot be judged, or for a scorer that fails.
    func rewards(for requests: [RewardRequest]) throws -> [Double]
}

extension RewardFunction {
    /// One number within the range of 32-bit floats for every request, in order.
    /// - Throws: ``RewardError/outOfRange(_:response:)``, ``RewardError/wrongCount(_:expected:)``, and what the function itself throws.
    package func checkedRewards(for requests: [RewardRequest]) throws -> [Double] {
        let rewards = try rewards(for: requests)
        guard rewards.count == requests.count else {
            throw RewardError.wrongCount(rewards.count, expected: requests.count)
        }
        if let index = rewards.firstIndex(where: { !Float($0).isFinite }) {
            throw RewardError.outOfRange(rewards[index], response: index)
        }
        return rewards
    }
}
