import Data

/// 1 for a correct answer, 0 otherwise. The answer to a generated instruction is scored against what the instruction asks for
/// (`InstructionCheck`); any other answer must equal its reference, ignoring case, white space and a period at the end.
public struct CheckReward: RewardFunction, ReferenceReward {
    /// Creates the reward.
    public init() {}

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        if let error = missingReferences(requests) { throw error }
        return requests.map { request in
            if let check = InstructionCheck(prompt: request.query) { return check.score(request.response) }
            return Self.words(request.response) == Self.words(request.reference ?? "") ? 1 : 0
        }
    }

    /// Every instruction whose check needs a reference must have one.
    public func missingReferences(_ requests: [RewardRequest]) -> RewardError? {
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
