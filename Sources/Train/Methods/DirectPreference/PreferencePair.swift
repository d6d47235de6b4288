public import Data
import Models

/// A pair of answers to one prompt, with the reference model's log-probabilities.
public struct PreferencePair: Sendable, Equatable {
    /// The tokens, and which answer is the better one.
    public var comparison: TokenisedComparison
    /// log π_ref of the chosen and the rejected answer, summed like the policy's; nil if the loss has no reference.
    public var reference: (chosen: Double, rejected: Double)?
    /// The weight of the pair's loss.
    public var weight: Double

    /// A pair.
    /// - Parameters:
    ///   - comparison: the tokens, and which answer is the better one.
    ///   - reference: the reference model's log-probabilities of the chosen and the rejected answer; nil if the loss has no
    ///     reference.
    ///   - weight: the weight of the pair's loss. Default: that of the comparison.
    public init(_ comparison: TokenisedComparison, reference: (chosen: Double, rejected: Double)? = nil, weight: Double? = nil) {
        self.comparison = comparison
        self.reference = reference
        self.weight = weight ?? comparison.weight
    }

    /// Whether two pairs have equal tokens, weights and reference log-probabilities.
    public static func == (a: PreferencePair, b: PreferencePair) -> Bool {
        a.comparison == b.comparison && a.weight == b.weight && a.reference?.chosen == b.reference?.chosen
            && a.reference?.rejected == b.reference?.rejected
    }

    var chosen: [Int32] { comparison.summaries[comparison.choice] }
    var rejected: [Int32] { comparison.summaries[1 - comparison.choice] }
}

/// The weights of an answer's tokens in its log-probability.
package struct TokenWeights {
    /// The number of tokens with weight 1, and the weight of the tokens after them.
    let full: Int
    let excess: Double

    /// The weights in a pair: 1 up to the length of the shorter answer, then `excess` (LD-DPO).
    init(chosen: Int, rejected: Int, excess: Double) {
        full = excess == 1 ? Int.max : min(chosen, rejected)
        self.excess = excess
    }

    /// The weight of the token at an index of the answer.
    package func weight(_ index: Int) -> Double { index < full ? 1 : excess }
    /// Σ weight · log p.
    package func sum(_ logProbs: ArraySlice<Float>) -> Double {
        logProbs.enumerated().reduce(0) { $0 + weight($1.offset) * Double($1.element) }
    }
}

/// A pass over both answers of some pairs, with each prompt read once, and the rows that predict the tokens.
struct PairPass {
    /// The pass, with the chosen answer of every pair before the rejected one.
    private(set) var pass: TargetPass
    /// The indices of a pair's log-probabilities among the targets.
    struct Places {
        /// Those of the prompt's tokens except the first; empty if they are not predicted.
        var prompt: Range<Int>
        var chosen: Range<Int>
        var rejected: Range<Int>
    }
    let places: [Places]

    /// Sets the source of dropout masks.
    mutating func drop(_ source: DropoutSource?) { pass.batch.dropout = source }

    /// A pass over some pairs.
    /// - Parameters:
    ///   - pairs: the pairs.
    ///   - withPrompts: whether the prompts' own tokens are predicted, too.
    init(_ pairs: [PreferencePair], withPrompts: Bool) {
        pass = TargetPass(
            prompts: pairs.map(\.comparison.prompt), answers: pairs.map { [$0.chosen, $0.rejected] }, predictingPrompts: withPrompts)
        var at = 0
        places = pairs.map { pair in
            func next(_ count: Int) -> Range<Int> {
                defer { at += count }
                return at..<at + count
            }
            return Places(
                prompt: next(withPrompts ? pair.comparison.prompt.count - 1 : 0), chosen: next(pair.chosen.count),
                rejected: next(pair.rejected.count))
        }
    }
}

extension PreferenceConfig {
    /// The terms of a pair's loss, and the weights of its tokens, from the log-probabilities of the answers' tokens and the
    /// reference's sums.
    package func terms(
        _ chosen: ArraySlice<Float>, _ rejected: ArraySlice<Float>, reference: (chosen: Double, rejected: Double)?
    ) -> (terms: PairTerms, weights: TokenWeights) {
        let weights = TokenWeights(chosen: chosen.count, rejected: rejected.count, excess: excessTokenWeight)
        var c = PairNumber(weights.sum(chosen), chosen: 1)
        var r = PairNumber(weights.sum(rejected), rejected: 1)
        let counts = (chosen: Double(chosen.count), rejected: Double(rejected.count))
        switch loss.comparison {
        case .reference:
            let own = (entropyBeta ?? beta) / beta
            c = own * c - (reference?.chosen ?? 0)
            r = own * r - (reference?.rejected ?? 0)
        case .sums: break
        case .means: (c, r) = ((1 / counts.chosen) * c, (1 / counts.rejected) * r)
        }
        let terms = PairTerms(
            chosen: divergence.score(c), rejected: divergence.score(r), plainChosen: c, plainRejected: r, chosenCount: counts.chosen,
            rejectedCount: counts.rejected)
        return (terms, weights)
    }
}
