public import Eval

/// Label probabilities of a natural language inference model for a premise and a hypothesis; they sum to 1.
public struct EntailmentProbabilities: Codable, Sendable, Equatable {
    /// Probability that the premise contradicts the hypothesis.
    public var contradiction: Double
    /// Probability that the premise neither entails nor contradicts the hypothesis.
    public var neutral: Double
    /// Probability that the premise entails the hypothesis.
    public var entailment: Double

    /// Creates a value from the three probabilities.
    public init(contradiction: Double, neutral: Double, entailment: Double) {
        self.contradiction = contradiction
        self.neutral = neutral
        self.entailment = entailment
    }
}

/// A premise and a hypothesis.
public struct EntailmentPair: Sendable, Hashable {
    /// The text that is assumed to be true.
    public var premise: String
    /// The text that is judged given the premise.
    public var hypothesis: String

    /// A pair of the two texts.
    public init(premise: String, hypothesis: String) {
        self.premise = premise
        self.hypothesis = hypothesis
    }
}

/// A natural language inference model, such as `roberta-large-mnli`.
public protocol EntailmentModel: Sendable {
    /// The name of the model in caches and reports.
    var name: String { get }
    /// The label probabilities of each pair, in order.
    /// - Throws: if the model fails.
    func probabilities(of pairs: [EntailmentPair]) throws -> [EntailmentProbabilities]
}

/// How label probabilities become a score for two texts.
public struct NLIScoring: Codable, Sendable, Equatable {
    /// Whether only the most probable label counts, with its probability: positive for contradiction, negative for entailment,
    /// 0 for neutral. Otherwise the score is P(contradiction) − P(entailment).
    public var topLabelOnly: Bool
    /// Whether 1 − mean is reported, as in the published code. The mean itself already grows with diversity, so a lower
    /// reported value then means more diverse texts.
    public var inverted: Bool
    /// Whether a period is appended to both texts, as in the published code.
    public var appendsPeriod: Bool

    /// Scoring with the given rules. Default: ``standard``.
    public init(topLabelOnly: Bool = false, inverted: Bool = false, appendsPeriod: Bool = false) {
        self.topLabelOnly = topLabelOnly
        self.inverted = inverted
        self.appendsPeriod = appendsPeriod
    }

    /// P(contradiction) − P(entailment), with the plain mean over pairs.
    public static let standard = NLIScoring()

    /// The scoring of the published code.
    public static let reference = NLIScoring(topLabelOnly: true, inverted: true, appendsPeriod: true)

    /// The range of the reported mean; the score of a pair, both directions added, lies in −2…2.
    var range: MetricRange { inverted ? MetricRange(least: -1, greatest: 3) : MetricRange(least: -2, greatest: 2) }

    /// The pair that is passed to the model.
    func pair(_ premise: String, _ hypothesis: String) -> EntailmentPair {
        appendsPeriod
            ? EntailmentPair(premise: premise + ".", hypothesis: hypothesis + ".")
            : EntailmentPair(premise: premise, hypothesis: hypothesis)
    }

    /// The score of one direction, −1…1.
    public func score(_ p: EntailmentProbabilities) -> Double {
        guard topLabelOnly else { return p.contradiction - p.entailment }
        if p.neutral >= max(p.contradiction, p.entailment) { return 0 }
        return p.contradiction > p.entailment ? p.contradiction : -p.entailment
    }
}

/// The mean over pairs of texts of contradiction minus entailment, summed over both directions, `nli_from_sim`: −2…2 (Stasaski
/// and Hearst, 2022, as adapted by Kirk et al.).
public struct NLIDiversity: DiversityMetric {
    public let name = "nli_from_sim"
    public var higherIsMoreDiverse: Bool { !scoring.inverted }
    public var isMeanOverPairs: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { scoring.range }
    private let model: any EntailmentModel
    private let scoring: NLIScoring
    private let pairs: PairSample

    /// The metric for an inference model.
    /// - Parameters:
    ///   - model: the inference model.
    ///   - scoring: how label probabilities become scores.
    ///   - pairs: which pairs of a set are judged. Default: all. ``expectedValue(of:probabilities:in:)`` always judges all
    ///     pairs.
    public init(_ model: any EntailmentModel, scoring: NLIScoring = .standard, pairs: PairSample = PairSample()) {
        self.model = model
        self.scoring = scoring
        self.pairs = pairs
    }

    /// The expected value over all pairs of texts in both directions, including each text with itself.
    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) throws -> Double? {
        precondition(
            texts.count == probabilities.count, "\(probabilities.count) probabilities for \(texts.count) texts")
        guard !texts.isEmpty else { return nil }
        let judge = collection.judge(model, scoring)
        var wanted: [EntailmentPair] = []
        var weights: [Double] = []
        for i in texts.indices {
            for j in 0...i where probabilities[i] * probabilities[j] > 0 {
                wanted += judge.directions(collection.texts[texts[i]], collection.texts[texts[j]])
                weights.append((i == j ? 1 : 2) * probabilities[i] * probabilities[j])
            }
        }
        let scores = try judge.scores(of: wanted)
        let mean = weights.indices.reduce(0) { $0 + weights[$1] * (scores[2 * $1] + scores[2 * $1 + 1]) }
        return scoring.inverted ? 1 - mean : mean
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        guard set.count > 1 else { return nil }
        let texts = set.map { collection.texts[$0] }
        let judge = collection.judge(model, scoring)
        var wanted: [EntailmentPair] = []
        pairs.forEach(in: set, of: collection) { i, j in wanted += judge.directions(texts[i], texts[j]) }
        let scores = try judge.scores(of: wanted)
        // each pair of texts has two directions, so the mean over pairs is the sum of all scores over the number of pairs
        let mean = scores.reduce(0, +) / (Double(scores.count) / 2)
        return scoring.inverted ? 1 - mean : mean
    }
}

extension TextCollection {
    /// The judge that caches the model's scores for pairs of these texts.
    func judge(_ model: any EntailmentModel, _ scoring: NLIScoring) -> EntailmentJudge {
        derived("inference by \(model.name), \(scoring)") { EntailmentJudge(model: model, scoring: scoring) }
    }
}

/// Asks a model for scores and caches them; every distinct pair is asked once.
final class EntailmentJudge {
    private let model: any EntailmentModel
    private let scoring: NLIScoring
    private var known: [[UInt8]: Double] = [:]

    init(model: any EntailmentModel, scoring: NLIScoring) {
        self.model = model
        self.scoring = scoring
    }

    /// Both directions of two texts, as passed to the model.
    func directions(_ a: String, _ b: String) -> [EntailmentPair] {
        [scoring.pair(a, b), scoring.pair(b, a)]
    }

    /// The score of each pair; scores that are not cached are computed in one call.
    func scores(of pairs: [EntailmentPair]) throws -> [Double] {
        let keys = pairs.map { Array($0.premise.utf8) + [0] + Array($0.hypothesis.utf8) }
        var missing: [EntailmentPair] = []
        var missingKeys: [[UInt8]] = []
        var seen: Set<[UInt8]> = []
        for (pair, key) in zip(pairs, keys) where known[key] == nil && seen.insert(key).inserted {
            missing.append(pair)
            missingKeys.append(key)
        }
        if !missing.isEmpty {
            let answers = try model.probabilities(of: missing)
            guard answers.count == missing.count else {
                throw DiversityError.wrongCount(of: "label probabilities", got: answers.count, expected: missing.count)
            }
            for (key, answer) in zip(missingKeys, answers) { known[key] = scoring.score(answer) }
        }
        return keys.map { known[$0] ?? .nan }
    }
}
