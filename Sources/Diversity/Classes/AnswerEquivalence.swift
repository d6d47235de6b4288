/// When two answers say the same: what makes classes of answers.
///
/// One of your own is a value of this type. Texts that are equal, code point by code point, are always equivalent and never asked about.
public protocol AnswerEquivalence: Sendable {
    /// Says in reports when two answers count as one, and tells equivalences apart in caches: options and models belong into it.
    var name: String { get }
    /// Whether asking costs next to nothing. Only then are answers to different inputs compared, which are many.
    var isCheap: Bool { get }
    /// Whether the two texts of each pair say the same. Of a class the first member is asked about first: (member, candidate).
    ///
    /// - Parameters:
    ///   - pairs: indices of texts in the collection.
    /// - Returns: one answer for each pair.
    /// - Throws: when a model fails.
    func areEquivalent(_ pairs: [AnswerPair], in collection: TextCollection) throws -> [Bool]
    /// Whether it can say anything about a text; those about which it cannot are left out of every set and counted.
    func knows(_ text: Int, in collection: TextCollection) throws -> Bool
}

extension AnswerEquivalence {
    /// It knows every text.
    public func knows(_ text: Int, in collection: TextCollection) -> Bool { true }
}

/// Two texts of a collection by their indices.
public struct AnswerPair: Sendable, Hashable {
    /// The text that stood first: of a class, its first member.
    public var first: Int
    /// The text that is compared with it.
    public var second: Int

    /// From two indices.
    public init(_ first: Int, _ second: Int) { (self.first, self.second) = (first, second) }
}
