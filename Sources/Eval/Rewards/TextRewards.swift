/// ROUGE-1 F of the response against its reference, in the form of the published code (see ``ROUGE/original(_:reference:)``).
public struct ROUGEReward: RewardFunction, ReferenceReward {
    /// Whether the reference is treated as a list of one-character references, of which the best counts. The published code
    /// does this in policy training, where it iterates over a string.
    public var readsReferenceByCharacter: Bool

    /// A reward; see ``readsReferenceByCharacter``.
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

/// Sentence BLEU of the response against its reference, divided by 100.
public struct BLEUReward: RewardFunction, ReferenceReward {
    /// See ``ROUGEReward/readsReferenceByCharacter``.
    public var readsReferenceByCharacter: Bool

    /// A reward; see ``readsReferenceByCharacter``.
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

/// The best score over references, with the rule for empty texts: 1 if both are empty, 0 if only one of them is.
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

/// The fraction of the response's tokens whose ID is above a threshold, for experiments without a reward model.
///
/// The published code divides by the width of its padded batch and never counts 50256, GPT-2's end-of-sequence token, with any
/// tokenizer.
public struct TokenIDReward: RewardFunction {
    /// Token IDs greater than this count.
    public var threshold: Int32
    /// A token ID that never counts; nil for none.
    public var excluded: Int32?
    /// Whether the count is divided by the length of the longest response among the requests, instead of the response's length.
    public var dividesByWidth: Bool
    /// With ``dividesByWidth``, the ID with which shorter responses are padded; it counts like any other ID. nil counts no
    /// padding.
    public var padding: Int32?

    /// A reward; see the properties.
    public init(threshold: Int32 = 25_000, excluded: Int32? = 50_256, dividesByWidth: Bool = false, padding: Int32? = nil) {
        self.threshold = threshold
        self.excluded = excluded
        self.dividesByWidth = dividesByWidth
        self.padding = padding
    }

    /// Whether rewards are divided by the length of the longest response of a call.
    public var dependsOnBatch: Bool { dividesByWidth }

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

/// A reward for the response's length in words: −|words − target| / target, or the number of words if there is no target.
public struct LengthReward: RewardFunction {
    /// The target number of words; nil rewards every additional word.
    public var words: Int?

    /// A reward with an optional target length.
    public init(words: Int? = nil) { self.words = words }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        requests.map { request in
            let count = Double(Lengths.words(in: request.response))
            guard let words else { return count }
            return -abs(count - Double(words)) / Double(max(1, words))
        }
    }
}

/// The relative reduction in length from the query to the response: 1 − characters of the response / characters of the query,
/// at least 0. An empty response scores 0, since it is not a summary.
public struct CompressionReward: RewardFunction {
    /// Creates the reward.
    public init() {}

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        requests.map { request in
            let (own, whole) = (Lengths.scalars(in: request.response), Lengths.scalars(in: request.query))
            guard own > 0, whole > 0 else { return 0 }
            return max(0, 1 - Double(own) / Double(whole))
        }
    }
}
