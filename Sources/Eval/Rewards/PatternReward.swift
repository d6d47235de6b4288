/// 1 for a response that contains a match of a regular expression, 0 otherwise; or the reverse.
public struct PatternReward: RewardFunction {
    /// The regular expression in Swift's syntax, which is largely that of PCRE.
    public let pattern: String
    /// Whether a match is rewarded; otherwise the absence of a match is.
    public let wantsMatch: Bool

    /// A reward for a pattern.
    /// - Throws: ``RewardError/badPattern(_:reason:)`` if the pattern is not a valid regular expression.
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
        // compiled for each call, since `Regex` is not `Sendable`
        let expression = try Regex(pattern)
        return try requests.map { (try expression.firstMatch(in: $0.response) != nil) == wantsMatch ? 1 : 0 }
    }
}
