public import Eval

/// A model or service that maps texts to vectors, such as a sentence encoder or an embedding service.
public protocol TextEncoder: Sendable {
    /// The name of the encoder in caches and reports; two encoders with the same name must return the same vectors.
    var name: String { get }
    /// One vector per text, all with the same number of channels; nil for a text that could not be encoded and is to be
    /// excluded.
    /// - Throws: an error that prevents the encoder from working at all.
    func embeddings(of texts: [String]) throws -> [[Float]?]
}

/// An encoder error that a measurement rethrows unchanged: it means that the encoder cannot be used at all, and says nothing
/// about the metric or the data.
public protocol TextEncoderFailure: Error {}

extension TextCollection {
    /// The embedding of each text. Every distinct text is encoded once, however many sets and pairs contain it.
    func embeddings(by encoder: any TextEncoder) throws -> [[Float]?] {
        try derived("embeddings by \(encoder.name)") {
            let (distinct, owner) = distinctTexts()
            let known = try parent?.vectorsByText(encoder) ?? [:]
            let unknown = distinct.indices.filter { known[Array(distinct[$0].utf8)] == nil }
            let found = unknown.isEmpty ? [] : try encoder.embeddings(of: unknown.map { distinct[$0] })
            guard found.count == unknown.count else {
                throw DiversityError.wrongCount(of: "embeddings", got: found.count, expected: unknown.count)
            }
            var vectors = distinct.map { known[Array($0.utf8)] ?? nil }
            for (place, vector) in zip(unknown, found) { vectors[place] = vector }
            let widths = Set(vectors.compactMap { $0?.count })
            guard widths.count < 2 else {
                throw DiversityError.wrongCount(of: "widths of embeddings", got: widths.count, expected: 1)
            }
            return owner.map { vectors[$0] }
        }
    }

    /// The embeddings of this collection by the bytes of the text; nil for a text that could not be encoded.
    private func vectorsByText(_ encoder: any TextEncoder) throws -> [[UInt8]: [Float]?] {
        let vectors = try embeddings(by: encoder)
        var result: [[UInt8]: [Float]?] = [:]
        for (text, vector) in zip(texts, vectors) { result.updateValue(vector, forKey: Array(text.utf8)) }
        return result
    }

    /// The distinct texts (by bytes) in order of first appearance, and for each text the index of its distinct text.
    func distinctTexts() -> (texts: [String], owner: [Int]) {
        derived("distinct texts") {
            var known: [[UInt8]: Int] = [:]
            var distinct: [String] = []
            let owner = texts.map { text in
                let key = Array(text.utf8)
                if let index = known[key] { return index }
                known[key] = distinct.count
                distinct.append(text)
                return distinct.count - 1
            }
            return (distinct, owner)
        }
    }
}

/// One minus the mean pairwise cosine of embeddings, `sent_bert_from_sim`; `openai_from_sim` with an embedding service.
public struct EmbeddingMetric: DiversityMetric {
    public let name: String
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { MetricRange(least: 0, greatest: 2) }
    public var isMeanOverPairs: Bool { true }
    private let encoder: any TextEncoder

    /// The metric for an encoder. Texts that could not be encoded are excluded from every set and counted.
    public init(_ encoder: any TextEncoder, name: String = "sent_bert_from_sim") {
        self.encoder = encoder
        self.name = name
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let embeddings = try collection.embeddings(by: encoder)
        return PairwiseSimilarity.diversity(ofEmbeddings: set.compactMap { embeddings[$0] })
    }

    /// The expected value without the texts that could not be encoded; the probabilities of the others are rescaled to sum to
    /// 1.
    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) throws -> Double? {
        let embeddings = try collection.embeddings(by: encoder)
        let known = zip(texts, probabilities).compactMap { text, weight in embeddings[text].map { ($0, weight) } }
        return PairwiseSimilarity.expectedDiversity(ofEmbeddings: known.map(\.0), weights: known.map(\.1))
    }

    public func excludedTexts(in collection: TextCollection) throws -> Int {
        try collection.embeddings(by: encoder).filter { $0 == nil }.count
    }
}

/// The Vendi score under the cosine of embeddings, `embedding_vendi_score`.
public struct EmbeddingVendiMetric: DiversityMetric {
    public let name = "embedding_vendi_score"
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { MetricRange(least: 1, greatest: Double(max(1, count))) }
    private let encoder: any TextEncoder
    private let order: Double

    /// The metric for an encoder and an order. Texts that could not be encoded are excluded from every set and counted.
    public init(_ encoder: any TextEncoder, order: Double = 1) {
        self.encoder = encoder
        self.order = order
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let embeddings = try collection.embeddings(by: encoder)
        return try VendiScore.score(ofEmbeddings: set.compactMap { embeddings[$0] }, order: order)
    }

    public func excludedTexts(in collection: TextCollection) throws -> Int {
        try collection.embeddings(by: encoder).filter { $0 == nil }.count
    }
}
