public import Eval

/// Something that turns texts into vectors: a sentence encoder, an embedding service.
public protocol TextEncoder: Sendable {
    /// Names the encoder in caches and reports; two encoders with one name must give the same vectors.
    var name: String { get }
    /// One vector for each text, all of one width; nil where a text could not be encoded and is to be left out.
    /// - Throws: what keeps the encoder from working at all.
    func embeddings(of texts: [String]) throws -> [[Float]?]
}

/// An error of an encoder that measuring passes on as it is: the encoder cannot be used at all, which says nothing of the metric or the data.
public protocol TextEncoderFailure: Error {}

extension TextCollection {
    /// The embedding of each text, every different text encoded once, however many sets and pairs it is in.
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

    /// The embedding of every text of this collection, nil among them where it could not be encoded.
    private func vectorsByText(_ encoder: any TextEncoder) throws -> [[UInt8]: [Float]?] {
        let vectors = try embeddings(by: encoder)
        var result: [[UInt8]: [Float]?] = [:]
        for (text, vector) in zip(texts, vectors) { result.updateValue(vector, forKey: Array(text.utf8)) }
        return result
    }

    /// The different texts (by code points) in order of first appearance, and for each text the index of its own.
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

/// One minus the mean pairwise cosine of embeddings, published as `sent_bert_from_sim`.
public struct EmbeddingMetric: DiversityMetric {
    public let name: String
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { MetricRange(least: 0, greatest: 2) }
    public var isMeanOverPairs: Bool { true }
    private let encoder: any TextEncoder

    /// The metric under an encoder. Texts that were not encoded are left out of every set and counted.
    public init(_ encoder: any TextEncoder, name: String = "sent_bert_from_sim") {
        self.encoder = encoder
        self.name = name
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let embeddings = try collection.embeddings(by: encoder)
        return PairwiseSimilarity.diversity(ofEmbeddings: set.compactMap { embeddings[$0] })
    }

    /// Texts that were not encoded are left out, the others share their probability in proportion.
    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) throws -> Double? {
        let embeddings = try collection.embeddings(by: encoder)
        let known = zip(texts, probabilities).compactMap { text, weight in embeddings[text].map { ($0, weight) } }
        return PairwiseSimilarity.expectedDiversity(ofEmbeddings: known.map(\.0), weights: known.map(\.1))
    }

    public func excludedTexts(in collection: TextCollection) throws -> Int {
        try collection.embeddings(by: encoder).filter { $0 == nil }.count
    }
}

/// The Vendi score of the cosines of embeddings, `embedding_vendi_score`.
public struct EmbeddingVendiMetric: DiversityMetric {
    public let name = "embedding_vendi_score"
    public var higherIsMoreDiverse: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { MetricRange(least: 1, greatest: Double(max(1, count))) }
    private let encoder: any TextEncoder
    private let order: Double

    /// The metric under an encoder. Texts that were not encoded are left out of every set and counted.
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
