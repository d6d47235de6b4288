/// Makes of the scores of all responses to one prompt the scores that are learned from: a reward that depends on how they compare.
public struct GroupReward: Sendable {
    /// The name.
    public let name: String
    /// One score for every response, from their scores and texts.
    public let value: @Sendable (_ scores: [Double], _ texts: [String]) throws -> [Double]

    /// A reward of groups; see the properties.
    public init(_ name: String, value: @escaping @Sendable (_ scores: [Double], _ texts: [String]) throws -> [Double]) {
        self.name = name
        self.value = value
    }
}
