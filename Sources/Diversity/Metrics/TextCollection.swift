import Eval

/// All texts of a measurement, with derived data that metrics share and that is computed once: n-gram IDs, stems, embeddings.
///
/// A set is a list of indices into ``texts``; an index may appear more than once. Not `Sendable`: use a collection from one
/// task only.
public final class TextCollection {
    /// The texts.
    public let texts: [String]
    /// What is known about the texts: rewards, references, and which input each answers.
    public let facts: AnswerFacts
    /// Another collection whose embeddings are reused for the texts that both contain.
    let parent: TextCollection?
    private var indices: [NGramTokenisation: NGramIndex] = [:]
    private var derived: [String: Any] = [:]

    /// A collection of `texts` with optional facts about them.
    public init(_ texts: [String], facts: AnswerFacts = AnswerFacts()) {
        self.texts = texts
        self.facts = facts
        parent = nil
    }

    /// A collection of the outputs of some inputs, with the facts about them.
    public convenience init(_ groups: [DiversityInput.Group]) {
        self.init(groups.flatMap { $0.outputs.map(\.text) }, facts: AnswerFacts(groups))
    }

    /// A collection that starts with the texts of `parent`, at the same indices, followed by further texts.
    init(_ parent: TextCollection, adding texts: [String]) {
        self.texts = parent.texts + texts
        facts = parent.facts
        self.parent = parent
    }

    /// Returns the result of `make`, computed once per `key`. The key must identify the value's type and all options that the
    /// value depends on.
    public func derived<Value>(_ key: String, make: () throws -> Value) rethrows -> Value {
        if let value = derived[key] as? Value { return value }
        let value = try make()
        derived[key] = value
        return value
    }

    /// The n-grams of all texts, up to at least `order`.
    package func ngrams(_ tokenisation: NGramTokenisation, order: Int) -> NGramIndex {
        if let index = indices[tokenisation], index.maximumOrder >= order { return index }
        let index = NGramIndex(texts, maximumOrder: max(order, 5), tokenisation: tokenisation)
        indices[tokenisation] = index
        return index
    }

    /// Counts the n-grams of a set; see ``NGramIndex/count(_:order:)``.
    package func count(_ set: [Int], order: Int, _ tokenisation: NGramTokenisation) -> (unique: Int, total: Int) {
        if indices[tokenisation].map({ $0.maximumOrder < order }) ?? true { _ = ngrams(tokenisation, order: order) }
        return indices[tokenisation]?.count(set, order: order) ?? (0, 0)
    }
}
