/// Decides whether two answers say the same thing; equivalence classes of answers are built from it.
///
/// To define a custom equivalence, conform to this protocol. Texts with equal bytes are always equivalent, and the equivalence
/// is never asked about them.
public protocol AnswerEquivalence: Sendable {
    /// Describes in reports when two answers are equivalent, and identifies the equivalence in caches, so it must include the
    /// model and all options.
    var name: String { get }
    /// Whether comparisons cost next to nothing. Only then are answers to different inputs compared, since there are many such
    /// pairs.
    var isCheap: Bool { get }
    /// Decides for each pair whether its two texts say the same thing. When classes are built, the first text of a pair is the
    /// first member of a class and the second is the candidate.
    ///
    /// - Parameters:
    ///   - pairs: pairs of indices of texts in the collection.
    ///   - collection: the texts and the facts about them.
    /// - Returns: one result per pair, in order.
    /// - Throws: if a model fails.
    func areEquivalent(_ pairs: [AnswerPair], in collection: TextCollection) throws -> [Bool]
    /// Whether the equivalence can judge a text; texts that it cannot judge are excluded from every set and counted.
    func knows(_ text: Int, in collection: TextCollection) throws -> Bool
}

extension AnswerEquivalence {
    /// Default: true for every text.
    public func knows(_ text: Int, in collection: TextCollection) -> Bool { true }
}

/// A pair of texts, as indices into a collection.
public struct AnswerPair: Sendable, Hashable {
    /// The first text; when classes are built, the first member of a class.
    public var first: Int
    /// The text compared with it.
    public var second: Int

    /// A pair of two indices.
    public init(_ first: Int, _ second: Int) { (self.first, self.second) = (first, second) }
}
