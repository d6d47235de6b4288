import Eval

/// All texts of a measurement, with what metrics derive from them made once and shared: n-gram ids, stems, embeddings.
///
/// A set is a list of indices into ``texts``; an index may appear more than once. Not `Sendable`: one owner, one task.
public final class TextCollection {
    /// The texts.
    public let texts: [String]
    /// What is known of them besides: rewards, references, the inputs that they answer.
    public let facts: AnswerFacts
    /// Another collection whose embeddings are taken for the texts that both have.
    let parent: TextCollection?
    private var indices: [NGramTokenisation: NGramIndex] = [:]
    private var derived: [String: Any] = [:]

    /// A collection of `texts`.
    public init(_ texts: [String], facts: AnswerFacts = AnswerFacts()) {
        self.texts = texts
        self.facts = facts
        parent = nil
    }

    /// The outputs of some inputs with what is known of them.
    public convenience init(_ groups: [DiversityInput.Group]) {
        self.init(groups.flatMap { $0.outputs.map(\.text) }, facts: AnswerFacts(groups))
    }

    /// The texts of another collection, which keep their places, and further ones behind them.
    init(_ parent: TextCollection, adding texts: [String]) {
        self.texts = parent.texts + texts
        facts = parent.facts
        self.parent = parent
    }

    /// What `make` returns, computed once per `key`; the key must name the value's type and all options it depends on.
    public func derived<Value>(_ key: String, make: () throws -> Value) rethrows -> Value {
        if let value = derived[key] as? Value { return value }
        let value = try make()
        derived[key] = value
        return value
    }

    /// The n-grams of all texts up to at least `order`.
    package func ngrams(_ tokenisation: NGramTokenisation, order: Int) -> NGramIndex {
        if let index = indices[tokenisation], index.maximumOrder >= order { return index }
        let index = NGramIndex(texts, maximumOrder: max(order, 5), tokenisation: tokenisation)
        indices[tokenisation] = index
        return index
    }

    /// Counts the n-grams of a set, see ``NGramIndex/count(_:order:)``.
    package func count(_ set: [Int], order: Int, _ tokenisation: NGramTokenisation) -> (unique: Int, total: Int) {
        if indices[tokenisation].map({ $0.maximumOrder < order }) ?? true { _ = ngrams(tokenisation, order: order) }
        return indices[tokenisation]?.count(set, order: order) ?? (0, 0)
    }
}
