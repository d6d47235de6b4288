/// 1 for a response in which a regular expression is found, else 0.
public struct PatternReward: RewardFunction {
    /// The expression, in Swift's (PCRE's) syntax.
    public let pattern: String
    /// Whether matches are rewarded (else their absence).
    public let wantsMatch: Bool

    /// A reward.
    /// - Throws: ``RewardError/badPattern(_:reason:)``.
    public init(_ pattern: String, wantsMatch: Bool = true) throws {
        do {
            _ = try Regex(pattern)
        } catch {
            throw RewardError.badPattern(pattern, reason: "\(error)")
        }
        self.pattern = pattern
        self.wantsMatch = wantsMatch
    }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        // compiled here and not kept: `Regex` cannot be sent between tasks
        let expression = try Regex(pattern)
        return try requests.map { (try expression.firstMatch(in: $0.response) != nil) == wantsMatch ? 1 : 0 }
    }
}
