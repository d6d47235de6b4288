public import Formats

/// A response to be judged, with everything that some judge may need.
public struct RewardRequest: Sendable, Equatable {
    /// The prompt's text.
    public var query: String
    /// The response's text, without special tokens.
    public var response: String
    /// The reference answer, when there is one.
    public var reference: String?
    /// The messages that are answered, where the prompt is a conversation.
    public var messages: [JSONValue]?
    /// The prompt's tokens, as the policy saw them.
    public var promptTokens: [Int32]
    /// The response's tokens, with the end-of-sequence token when it was drawn.
    public var responseTokens: [Int32]

    /// A request; see the properties.
    public init(
        query: String, response: String, reference: String? = nil, messages: [JSONValue]? = nil, promptTokens: [Int32] = [],
        responseTokens: [Int32] = []
    ) {
        self.query = query
        self.response = response
        self.reference = reference
        self.messages = messages
        self.promptTokens = promptTokens
        self.responseTokens = responseTokens
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
    package func checkedRewards(for requests: [RewardRequest], offering trunk: TrunkStates? = nil) throws -> [Double] {
        let rewards = try rewards(for: requests, offering: trunk)
        guard rewards.count == requests.count else {
            throw RewardError.wrongCount(rewards.count, expected: requests.count)
        }
        if let index = rewards.firstIndex(where: { !Float($0).isFinite }) {
            throw RewardError.outOfRange(rewards[index], response: index)
        }
        return rewards
    }
}
