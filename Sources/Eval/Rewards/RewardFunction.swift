public import Formats

/// A response to be scored, with all data that reward functions may need.
public struct RewardRequest: Sendable, Equatable {
    /// The text of the prompt.
    public var query: String
    /// The text of the response, without special tokens.
    public var response: String
    /// The reference answer; nil if there is none.
    public var reference: String?
    /// The messages of the prompt if it is a conversation; nil otherwise.
    public var messages: [JSONValue]?
    /// The token IDs of the prompt, as the policy saw them.
    public var promptTokens: [Int32]
    /// The token IDs of the response, including the end-of-sequence token if it was sampled.
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

/// A reward that compares responses with their references. Stages check the references of all prompts before they sample anything.
public protocol ReferenceReward: RewardFunction {
    /// The error for requests of which some lack a required reference; nil if none does.
    func missingReferences(_ requests: [RewardRequest]) -> RewardError?
}

extension ReferenceReward {
    /// Every request without a reference is an error.
    public func missingReferences(_ requests: [RewardRequest]) -> RewardError? { RewardError.missingReferences(requests) }
}

extension RewardFunction {
    /// Checks that all prompts have the references that the function needs, before responses are sampled.
    /// - Throws: ``RewardError/noReference(prompts:of:first:)``.
    package func checkReferences(_ requests: [RewardRequest]) throws {
        let parts = (self as? WeightedReward)?.parts.map(\.reward) ?? [self]
        for case let part as any ReferenceReward in parts {
            if let error = part.missingReferences(requests) { throw error }
        }
    }
}

extension RewardError {
    /// The error for requests without a reference that need one; nil if there are none.
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

/// A function that assigns a reward to every response; larger is better.
public protocol RewardFunction {
    /// One number per request, in order.
    /// - Throws: ``RewardError`` for a response that cannot be scored, or if a scorer fails.
    func rewards(for requests: [RewardRequest]) throws -> [Double]

    /// Whether the reward of a response depends on the other requests of a call. Several processes do not divide the requests of
    /// such a call among themselves.
    var dependsOnBatch: Bool { get }
}

extension RewardFunction {
    /// Default: false, each response is scored independently of the others.
    public var dependsOnBatch: Bool { false }

    /// One number within the range of 32-bit floats per request, in order.
    /// - Throws: ``RewardError/outOfRange(_:response:)`` and ``RewardError/wrongCount(_:expected:)``; any error that the
    ///   function itself throws.
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
