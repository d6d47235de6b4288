/// The hidden judge of simulated preferences (as AlpacaFarm's simulated annotators, Dubois et al. 2023): how close a summary is to the
/// reference, with a term for its length.
///
///     gold = ROUGE-L F1 (stemmed) − lengthWeight · min(1, |words − reference words| / reference words)
///
/// Reward models are trained on what it prefers; they never see it, nor the reference.
public struct GoldScore: RewardFunction, ReferenceReward, Codable, Sendable, Equatable {
    /// What a summary of twice the reference's length loses.
    public var lengthWeight: Double

    /// A judge.
    public init(lengthWeight: Double = 0.2) { self.lengthWeight = lengthWeight }

    /// The score of one summary.
    public func score(_ summary: String, reference: String) -> Double {
        score(summary, reference: reference, overlap: ROUGE.Standard(stems: true).score(summary, reference: reference).rougeL.f)
    }

    /// The score of one summary whose stemmed ROUGE-L F1 against the reference is known.
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
