import Foundation
import Tensor

/// BLEU (Papineni et al., 2002), equal to `sacrebleu` 2 with its default tokenisation `13a`.
///
/// Scores range from 0 to 100. Sentence scores need ``effectiveOrder`` and smoothing; corpus scores are usually reported
/// without effective order. The published code reports ``sentence`` divided by 100.
public struct BLEU: Codable, Sendable, Equatable {
    /// The smoothing for n-gram orders without a match (Chen and Cherry, 2014).
    public enum Smoothing: Codable, Sendable, Equatable {
        /// No smoothing: such orders have precision 0, so the score is 0.
        case none
        /// The number of matches is replaced by this small number (sacrebleu's default: 0.1).
        case floor(Double)
        /// This number is added to the matches and totals of all orders above 1 (sacrebleu's default: 1).
        case addK(Double)
        /// The k-th order without a match counts as 1 / 2^k matches (as in the NIST script; sacrebleu's default smoothing).
        case exponential
    }

    /// The highest n-gram order.
    public var maximumOrder: Int
    /// The smoothing for orders without a match.
    public var smoothing: Smoothing
    /// Whether only the orders for which the hypothesis is long enough are averaged, instead of all.
    public var effectiveOrder: Bool
    /// Whether texts are lower-cased first.
    public var lowercases: Bool

    /// A scorer. Defaults: those of ``sentence``.
    public init(
        maximumOrder: Int = 4, smoothing: Smoothing = .exponential, effectiveOrder: Bool = true,
        lowercases: Bool = false
    ) {
        precondition(maximumOrder >= 1, "BLEU needs an order of at least 1, got \(maximumOrder)")
        self.maximumOrder = maximumOrder
        self.smoothing = smoothing
        self.effectiveOrder = effectiveOrder
        self.lowercases = lowercases
    }

    /// The form for single texts: effective order and exponential smoothing.
    public static let sentence = BLEU()

    /// The form for corpora, `sacrebleu`'s default: all four orders and exponential smoothing.
    public static let corpus = BLEU(effectiveOrder: false)

    /// The counts from which a score is computed. The counts of a corpus are the sum of the counts of its texts.
    public struct Counts: Codable, Sendable, Equatable {
        /// The number of words of the hypothesis.
        public var hypothesisLength: Int
        /// The number of words of the reference closest in length; the shorter of two equally close ones.
        public var referenceLength: Int
        /// The clipped matches of each order.
        public var matches: [Int]
        /// The number of n-grams of each order in the hypothesis.
        public var totals: [Int]

        /// Counts of zero.
        public init(maximumOrder: Int) {
            hypothesisLength = 0
            referenceLength = 0
            matches = Array(repeating: 0, count: maximumOrder)
            totals = matches
        }

        /// Adds the counts of another text.
        public static func += (left: inout Counts, right: Counts) {
            left.hypothesisLength += right.hypothesisLength
            left.referenceLength += right.referenceLength
            for n in left.matches.indices {
                left.matches[n] += right.matches[n]
                left.totals[n] += right.totals[n]
            }
        }
    }

    /// A score with its components.
    public struct Score: Codable, Sendable, Equatable {
        /// BLEU, 0…100.
        public var score: Double
        /// The precision of each order after smoothing, 0…100.
        public var precisions: [Double]
        /// The brevity penalty, 0…1.
        public var brevityPenalty: Double
        /// The counts from which the score was computed.
        public var counts: Counts
    }

    /// The score of one text. Without references, nothing matches and the score is 0.
    public func score(_ hypothesis: String, references: [String]) -> Score {
        score(of: counts(hypothesis, references: references))
    }

    /// The score of a corpus: the counts of all texts are added before the formula is applied.
    ///
    /// - Parameters:
    ///   - hypotheses: one text per segment.
    ///   - references: the references of each segment.
    public func score(corpus hypotheses: [String], references: [[String]]) -> Score {
        precondition(
            hypotheses.count == references.count,
            "\(hypotheses.count) hypotheses but \(references.count) lists of references")
        var total = Counts(maximumOrder: maximumOrder)
        for part in Compute.map(hypotheses.count, { counts(hypotheses[$0], references: references[$0]) }) { total += part }
        return score(of: total)
    }

    /// The counts of one text against its references.
    public func counts(_ hypothesis: String, references: [String]) -> Counts {
        var table = WordTable()
        func words(_ text: String) -> [Int32] {
            Tokenizer13a.words(of: text, lowercases: lowercases).map { table.id(of: $0) }
        }
        let hypothesisWords = words(hypothesis)
        let referenceWords = references.map(words)
        var counts = Counts(maximumOrder: maximumOrder)
        counts.hypothesisLength = hypothesisWords.count
        counts.referenceLength = Self.closest(to: hypothesisWords.count, among: referenceWords.map(\.count))
        var hypothesisGrams = hypothesisWords
        var referenceGrams = referenceWords
        for order in 1...maximumOrder {
            if order > 1 {
                var pairs = PairTable()
                hypothesisGrams = Self.lengthened(hypothesisGrams, by: hypothesisWords, order: order, &pairs)
                for r in referenceGrams.indices {
                    referenceGrams[r] = Self.lengthened(referenceGrams[r], by: referenceWords[r], order: order, &pairs)
                }
            }
            var allowed: [Int32: Int] = [:]
            for grams in referenceGrams {
                var own: [Int32: Int] = [:]
                for id in grams { own[id, default: 0] += 1 }
                allowed.merge(own, uniquingKeysWith: max)
            }
            counts.totals[order - 1] = hypothesisGrams.count
            for id in hypothesisGrams {
                guard let left = allowed[id], left > 0 else { continue }
                allowed[id] = left - 1
                counts.matches[order - 1] += 1
            }
        }
        return counts
    }

    /// The score for the given counts.
    public func score(of counts: Counts) -> Score {
        var penalty = 1.0
        if counts.hypothesisLength < counts.referenceLength {
            penalty =
                counts.hypothesisLength > 0
                ? exp(1 - Double(counts.referenceLength) / Double(counts.hypothesisLength)) : 0
        }
        var precisions = [Double](repeating: 0, count: maximumOrder)
        guard counts.matches.contains(where: { $0 > 0 }) else {
            return Score(score: 0, precisions: precisions, brevityPenalty: penalty, counts: counts)
        }
        var halving = 1.0
        var usedOrder = maximumOrder
        for n in 0..<maximumOrder {
            var matches = Double(counts.matches[n])
            var total = Double(counts.totals[n])
            if case .addK(let k) = smoothing, n > 0 {
                matches += k
                total += k
            }
            guard total > 0 else { break }
            if effectiveOrder { usedOrder = n + 1 }
            if matches == 0 {
                switch smoothing {
                case .exponential:
                    halving *= 2
                    matches = 1 / halving
                case .floor(let value): matches = value
                case .none, .addK: break
                }
            }
            precisions[n] = 100 * matches / total
        }
        let used = precisions[..<usedOrder]
        let score =
            used.contains(0) ? 0 : penalty * exp(used.reduce(0) { $0 + log($1) } / Double(usedOrder))
        return Score(score: score, precisions: precisions, brevityPenalty: penalty, counts: counts)
    }

    /// The length closest to `length`, the shorter of two equally close ones; 0 if there is none.
    private static func closest(to length: Int, among lengths: [Int]) -> Int {
        lengths.min { (abs($0 - length), $0) < (abs($1 - length), $1) } ?? 0
    }

    /// The IDs of the n-grams of order `order`, from the IDs of the (n − 1)-grams and the words.
    private static func lengthened(
        _ shorter: [Int32], by words: [Int32], order: Int, _ pairs: inout PairTable
    ) -> [Int32] {
        guard words.count >= order else { return [] }
        return (0...(words.count - order)).map { pairs.id(of: shorter[$0], words[$0 + order - 1]) }
    }
}
