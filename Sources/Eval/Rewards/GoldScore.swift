/// The ground-truth reward of simulated preferences (like AlpacaFarm's simulated annotators, Dubois et al. 2023): the
/// similarity of a summary to its reference, minus a penalty for its length.
///
///     gold = ROUGE-L F1 (stemmed) − lengthWeight · min(1, |words − reference words| / reference words)
///
/// Reward models are trained on preferences derived from it, but see neither its values nor the references.
public struct GoldScore: RewardFunction, ReferenceReward, Codable, Sendable, Equatable {
    /// The maximum length penalty, reached for a summary without words or of at least twice the reference's length.
    public var lengthWeight: Double

    /// A score with a weight for the length penalty.
    public init(lengthWeight: Double = 0.2) { self.lengthWeight = lengthWeight }

    /// The score of one summary.
    public func score(_ summary: String, reference: String) -> Double {
        score(summary, reference: reference, overlap: ROUGE.Standard(stems: true).score(summary, reference: reference).rougeL.f)
    }

    /// The score of one summary, given its stemmed ROUGE-L F1 against the reference.
    package func score(_ summary: String, reference: String, overlap: Double) -> Double {
        func words(_ text: String) -> Double { Double(text.split(whereSeparator: \.isWhitespace).count) }
        let expected = max(1, words(reference))
        return overlap - lengthWeight * min(1, abs(words(summary) - expected) / expected)
    }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        if let error = missingReferences(requests) { throw error }
        return requests.map { score($0.response, reference: $0.reference ?? "") }
    }
}
