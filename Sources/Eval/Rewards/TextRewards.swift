/// ROUGE-1 of the response against the best of its references, in the original's form (see ``ROUGE/Original``).
public struct ROUGEReward: RewardFunction, ReferenceReward {
    /// Whether the reference is taken for a list of one-character references, as the original does in policy training, where it iterates
    /// over a bare string.
    public var readsReferenceByCharacter: Bool

    /// A reward; see the property.
    public init(readsReferenceByCharacter: Bool = false) { self.readsReferenceByCharacter = readsReferenceByCharacter }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        if let error = missingReferences(requests) { throw error }
        return requests.map { request in
            References.best(request, byCharacter: readsReferenceByCharacter) {
                ROUGE.original($0, reference: $1).rouge1.f
            }
        }
    }
}

/// Sentence BLEU over 100 of the response against the best of its references.
public struct BLEUReward: RewardFunction, ReferenceReward {
    /// As ``ROUGEReward/readsReferenceByCharacter``.
    public var readsReferenceByCharacter: Bool

    /// A reward; see the property.
    public init(readsReferenceByCharacter: Bool = false) { self.readsReferenceByCharacter = readsReferenceByCharacter }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        if let error = missingReferences(requests) { throw error }
        return requests.map { request in
            References.best(request, byCharacter: readsReferenceByCharacter) {
                BLEU.sentence.score($0, references: [$1]).score / 100
            }
        }
    }
}

/// The best of several references, with the rule for empty texts: empty against empty is 1, against anything else 0.
private enum References {
    static func best(
        _ request: RewardRequest, byCharacter: Bool, _ score: (_ response: String, _ reference: String) -> Double
    ) -> Double {
        let reference = request.reference ?? ""
        let references = byCharacter ? reference.unicodeScalars.map { String($0) } : [reference]
        return references.map { reference in
            if request.response.isEmpty || reference.isEmpty {
                return request.response.isEmpty && reference.isEmpty ? 1 : 0
            }
            return score(request.response, reference)
        }.max() ?? 0
    }
}

/// The share of the response's tokens whose id is above a threshold, for experiments that need no model.
///
/// The original divides by the width of its padded batch, and never counts GPT-2's end of sequence, 50256, whatever the tokenizer.
public struct TokenIDReward: RewardFunction {
    /// Greater ids count.
    public var threshold: Int32
    /// An id that never counts.
    public var excluded: Int32?
    /// Whether the share is that of the longest response among the requests.
    public var dividesByWidth: Bool
    /// What shorter responses are filled up with, where the share is that of the longest one: an id like any other. Nil counts nothing.
    public var padding: Int32?

    /// A reward; see the properties.
    public init(threshold: Int32 = 25_000, excluded: Int32? = 50_256, dividesByWidth: Bool = false, padding: Int32? = nil) {
        self.threshold = threshold
        self.excluded = excluded
        self.dividesByWidth = dividesByWidth
        self.padding = padding
    }

    private func counts(_ id: Int32) -> Bool { id > threshold && id != excluded }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        let width = requests.map(\.responseTokens.count).max() ?? 0
        return requests.map { request in
            let hits = request.responseTokens.count { counts($0) }
            guard dividesByWidth else { return Double(hits) / Double(max(1, request.responseTokens.count)) }
            let filled = padding.map { counts($0) ? width - request.responseTokens.count : 0 } ?? 0
            return Double(hits + filled) / Double(max(1, width))
        }
    }
}

/// How near a response's length is to a wanted one: −|words − wanted| / wanted; without a wanted one, the number of words.
public struct LengthReward: RewardFunction {
    /// The wanted number of words; nil rewards every further one.
    public var words: Int?

    /// A reward; see the property.
    public init(words: Int? = nil) { self.words = words }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        requests.map { request in
            let count = Double(Lengths.words(in: request.response))
            guard let words else { return count }
            return -abs(count - Double(words)) / Double(max(1, words))
        }
    }
}

/// How much shorter the response is than the text that it summarises: 1 − characters of the response / characters of the query, not
/// below 0. An empty response is no summary and scores 0.
public struct CompressionReward: RewardFunction {
    /// A reward.
    public init() {}

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        requests.map { request in
            let (own, whole) = (Lengths.scalars(in: request.response), Lengths.scalars(in: request.query))
            guard own > 0, whole > 0 else { return 0 }
            return max(0, 1 - Double(own) / Double(whole))
        }
    }
}
