import Data

/// Whether an answer is right: that of a generated instruction by what it asks for (``InstructionCheck``), any other by its reference, which it must
/// equal but for case, white space and a full stop at the end.
public struct CheckReward: RewardFunction, ReferenceReward {
    /// A reward.
    public init() {}

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        if let error = missingReferences(requests) { throw error }
        return requests.map { request in
            if let check = InstructionCheck(prompt: request.query) { return check.score(request.response) }
            return Self.words(request.response) == Self.words(request.reference ?? "") ? 1 : 0
        }
    }

    package func missingReferences(_ requests: [RewardRequest]) -> RewardError? {
        RewardError.missingReferences(requests) { InstructionCheck(prompt: $0.query) != nil }
    }

    private static func words(_ text: String) -> [String] {
        var words = text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
        if let last = words.popLast() {
            let bare = last.hasSuffix(".") ? String(last.dropLast()) : last
            if !bare.isEmpty { words.append(bare) }
        }
        return words
    }
}
