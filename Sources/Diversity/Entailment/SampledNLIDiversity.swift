public import Eval
import Formats

/// ``NLIDiversity`` on sampled sentences of longer texts, `nli_sample_from_sim`.
///
/// For each pair of texts, both lists of sentences are truncated to the length m of the shorter one; `min(samples, m)`
/// sentences are drawn from each without replacement and judged against each other in both directions. A pair in which a text
/// has no sentence has no score. The draw depends only on the seed and the two texts, not on their order or on other texts.
public struct SampledNLIDiversity: DiversityMetric {
    /// What texts are split into, and how the samples are averaged.
    public enum Form: String, Codable, Sendable {
        /// Sentences as split by ``SentenceSplitter``; the value is the mean over pairs of the mean over each pair's samples.
        case sentences
        /// The form of the published code: the "sentences" are single characters (code points), and the value is the mean over
        /// all samples of all pairs, with each sample also divided by the number of samples of its pair.
        case charactersScaledTwice
    }

    public let name = "nli_sample_from_sim"
    public var higherIsMoreDiverse: Bool { !scoring.inverted }
    public var isMeanOverPairs: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { scoring.range }
    private let model: any EntailmentModel
    private let scoring: NLIScoring
    private let form: Form
    private let samples: Int
    private let seed: UInt64
    private let pairs: PairSample

    /// The metric for an inference model.
    ///
    /// - Parameters:
    ///   - model: the inference model.
    ///   - scoring: how label probabilities become scores.
    ///   - form: what texts are split into.
    ///   - samples: the maximum number of sentences drawn per pair of texts.
    ///   - seed: the seed of all draws.
    ///   - pairs: which pairs of a set are judged. Default: all.
    public init(
        _ model: any EntailmentModel, scoring: NLIScoring = .standard, form: Form = .sentences, samples: Int = 5,
        seed: UInt64 = 0, pairs: PairSample = PairSample()
    ) {
        precondition(samples > 0, "the number of sampled sentences must be at least 1, got \(samples)")
        self.model = model
        self.scoring = scoring
        self.form = form
        self.samples = samples
        self.seed = seed
        self.pairs = pairs
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        guard set.count > 1 else { return nil }
        let judge = collection.judge(model, scoring)
        let pieces = set.map { collection.texts[$0] }.map { (text: $0, pieces: self.pieces(of: $0)) }
        var wanted: [EntailmentPair] = []
        var counts: [Int] = []
        pairs.forEach(in: set, of: collection) { i, j in
            let drawn = draw(pieces[i], pieces[j])
            for (a, b) in drawn { wanted += judge.directions(a, b) }
            if !drawn.isEmpty { counts.append(drawn.count) }
        }
        guard !counts.isEmpty else { return nil }
        let scores = try judge.scores(of: wanted)
        var sum = 0.0
        var next = 0
        for count in counts {
            let pairSum = scores[next..<(next + 2 * count)].reduce(0, +)
            sum += pairSum / Double(count)
            next += 2 * count
        }
        let mean = sum / Double(form == .sentences ? counts.count : counts.reduce(0, +))
        return scoring.inverted ? 1 - mean : mean
    }

    private func pieces(of text: String) -> [String] {
        switch form {
        case .sentences: SentenceSplitter.sentences(in: text)
        case .charactersScaledTwice: text.unicodeScalars.map { String($0) }
        }
    }

    private func draw(
        _ first: (text: String, pieces: [String]), _ second: (text: String, pieces: [String])
    ) -> [(String, String)] {
        let count = min(first.pieces.count, second.pieces.count)
        guard count > 0 else { return [] }
        let inOrder = first.text.utf8.lexicographicallyPrecedes(second.text.utf8)
        let (a, b) = inOrder ? (first, second) : (second, first)
        var hash = FNV64(seed: seed)
        hash.add(text: a.text)
        hash.add(Array(b.text.utf8))
        var random = SplitMix64(seed: hash.value)
        let taken = min(samples, count)
        let left = random.distinctIndices(taken, below: count)
        let right = random.distinctIndices(taken, below: count)
        return zip(left, right).map { (a.pieces[$0], b.pieces[$1]) }
    }
}
