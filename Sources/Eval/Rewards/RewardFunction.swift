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

/// A reward that compares responses with the references of their prompts.
package protocol ReferenceReward: RewardFunction {
    /// What is wrong with requests some of which have no reference; nil where nothing is.
    func missingReferences(_ requests: [RewardRequest]) -> RewardError?
}

extension ReferenceReward {
    package func missingReferences(_ requests: [RewardRequest]) -> RewardError? { RewardError.missingReferences(requests) }
}

extension RewardFunction {
    /// Whether all prompts have the references that the function needs, before anything is drawn for them.
    /// - Throws: ``RewardError/noReference(prompts:of:first:)``.
    package func checkReferences(_ requests: [RewardRequest]) throws {
        let parts = (self as? WeightedReward)?.parts.map(\.reward) ?? [self]
        for case let part as any ReferenceReward in parts {
            if let error = part.missingReferences(requests) { throw error }
        }
    }
}

extension RewardError {
    /// What to throw where some of the requests need a reference and have none; nil where none of them does.
    static func missingReferences(
        _ requests: [RewardRequest], unless isJudgedWithout: (RewardRequest) -> Bool = { _ in false }
    ) -> RewardError? {
        var (prompts, missing): (Set<[UInt8]>, Set<[UInt8]>) = ([], [])
        var first: String?
        for request in requests {
            let query = Array(request.query.utf8)
            prompts.insert(query)
            guard request.reference == nil, !isJudgedWithout(request) else { continue }
            missing.insert(query)
            if first == nil { first = request.query }
        }
        return first.map { .noReference(prompts: missing.count, of: prompts.count, first: $0) }
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
