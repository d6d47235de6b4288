extension ROUGE {
    /// The scores in the form of the published code.
    public struct OriginalScores: Codable, Sendable, Equatable {
        /// ROUGE-1 on sets of words.
        public var rouge1: Score
        /// ROUGE-2 on sets of word pairs.
        public var rouge2: Score
        /// Summary-level ROUGE-L on sets of words.
        public var rougeL: Score

        /// The scores for no overlap.
        public static let zero = OriginalScores(rouge1: .zero, rouge2: .zero, rougeL: .zero)
    }

    /// ROUGE-1, -2 and -L as the Python package `rouge` 1.0.1 computes them.
    ///
    /// Both texts are split at `.`; empty pieces are dropped and white space inside a piece is collapsed (a piece of white
    /// space alone is kept as a single empty word). Words are case-sensitive and not stemmed. ROUGE-1 and ROUGE-2 intersect
    /// *sets* of n-grams of the concatenated pieces. ROUGE-L collects into one set, for each reference piece and each
    /// hypothesis piece, the words of one longest common subsequence (on a tie, the trace-back steps along the hypothesis).
    /// `F = 2PR / (P + R + 1e-8)`.
    ///
    /// If a text has no piece (it is empty or consists of periods only), all scores are zero; the package raises an error.
    public static func original(_ hypothesis: String, reference: String) -> OriginalScores {
        var table = WordTable()
        let hypothesisPieces = originalPieces(hypothesis, &table)
        let referencePieces = originalPieces(reference, &table)
        guard !hypothesisPieces.isEmpty, !referencePieces.isEmpty else { return .zero }
        let hypothesisWords = hypothesisPieces.flatMap { $0 }
        let referenceWords = referencePieces.flatMap { $0 }
        let hypothesisSet = Set(hypothesisWords)
        let referenceSet = Set(referenceWords)

        var pairs = PairTable()
        let hypothesisPairs = Set(zip(hypothesisWords, hypothesisWords.dropFirst()).map { pairs.id(of: $0, $1) })
        let referencePairs = Set(zip(referenceWords, referenceWords.dropFirst()).map { pairs.id(of: $0, $1) })

        var union: Set<Int32> = []
        for piece in referencePieces {
            for other in hypothesisPieces {
                for i in LongestCommonSubsequence.indices(piece, other, onTie: .second) { union.insert(piece[i]) }
            }
        }
        func score(_ overlap: Int, _ hypothesisCount: Int, _ referenceCount: Int) -> Score {
            let precision = hypothesisCount == 0 ? 0 : Double(overlap) / Double(hypothesisCount)
            let recall = referenceCount == 0 ? 0 : Double(overlap) / Double(referenceCount)
            return Score(
                precision: precision, recall: recall, f: 2 * (precision * recall / (precision + recall + 1e-8)))
        }
        return OriginalScores(
            rouge1: score(
                hypothesisSet.intersection(referenceSet).count, hypothesisSet.count, referenceSet.count),
            rouge2: score(
                hypothesisPairs.intersection(referencePairs).count, hypothesisPairs.count, referencePairs.count),
            rougeL: score(union.count, hypothesisSet.count, referenceSet.count))
    }

    /// The pieces between periods as word IDs.
    private static func originalPieces(_ text: String, _ table: inout WordTable) -> [[Int32]] {
        text.unicodeScalars.split(separator: ".", omittingEmptySubsequences: true).map { piece in
            let words = TextRules.whitespaceWords(piece)
            return words.isEmpty ? [table.id(of: [])] : words.map { table.id(of: $0) }
        }
    }
}
