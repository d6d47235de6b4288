/// A reward that depends on all responses to one prompt: it replaces their scores before learning.
public struct GroupReward: Sendable {
    /// The name of the reward.
    public let name: String
    /// The new score of every response, given the scores and texts of the group.
    public let value: @Sendable (_ scores: [Double], _ texts: [String]) throws -> [Double]

    /// A group reward; see the properties.
    public init(_ name: String, value: @escaping @Sendable (_ scores: [Double], _ texts: [String]) throws -> [Double]) {
        self.name = name
        self.value = value
    }
}
