public import Diversity
public import Train

extension DiversityModels {
    /// The same models for several ranks, which call them with the same texts: each rank processes a part of the texts or pairs, and
    /// all get the results. An embedding service is asked by rank 0 alone.
    func divided(among collective: any Collective) -> DiversityModels {
        guard collective.size > 1 else { return self }
        return DiversityModels(
            encoder: encoder.map { DividedEncoder(own: $0, collective: collective) },
            remoteEncoder: remoteEncoder.map { FirstRankEncoder(own: $0, collective: collective) },
            entailment: entailment.map { DividedEntailmentModel(own: $0, collective: collective) },
            similarity: similarity.map { DividedSimilarityModel(own: $0, collective: collective) })
    }
}

/// The failure of another rank, which is not a property of a metric or a text.
extension CollectiveError: TextEncoderFailure {}

/// A sentence encoder whose texts are divided among ranks.
private struct DividedEncoder: TextEncoder {
    let own: any TextEncoder
    let collective: any Collective

    var name: String { own.name }

    func embeddings(of texts: [String]) throws -> [[Float]?] {
        try collective.dividing(texts.map { Array($0.utf8) }) { part in try own.embeddings(of: part.map { texts[$0] }) }
    }
}

/// An encoder that only rank 0 calls, such as a service.
private struct FirstRankEncoder: TextEncoder {
    let own: any TextEncoder
    let collective: any Collective

    var name: String { own.name }

    func embeddings(of texts: [String]) throws -> [[Float]?] {
        try collective.broadcast { try own.embeddings(of: texts) }
    }
}

/// An inference model whose pairs are divided among ranks.
private struct DividedEntailmentModel: EntailmentModel {
    let own: any EntailmentModel
    let collective: any Collective

    var name: String { own.name }

    func probabilities(of pairs: [EntailmentPair]) throws -> [EntailmentProbabilities] {
        try collective.dividing(pairs.map { content($0.premise, $0.hypothesis) }) { part in
            try own.probabilities(of: part.map { pairs[$0] }).map { [$0.contradiction, $0.neutral, $0.entailment] }
        }.compactMap { row in
            row.map { EntailmentProbabilities(contradiction: $0[0], neutral: $0[1], entailment: $0[2]) }
        }
    }
}

/// A classifier of answers whose pairs are divided among ranks.
private struct DividedSimilarityModel: SimilarityModel {
    let own: any SimilarityModel
    let collective: any Collective

    var name: String { own.name }

    func probabilities(of pairs: [(first: String, second: String)]) throws -> [Double] {
        try collective.dividing(pairs.map { content($0.first, $0.second) }) { part in
            try own.probabilities(of: part.map { pairs[$0] }).map { [$0] }
        }.compactMap { $0?.first }
    }
}

/// The bytes that name a pair of texts.
private func content(_ first: String, _ second: String) -> [UInt8] { Array(first.utf8) + [0xFF] + Array(second.utf8) }
