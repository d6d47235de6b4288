public import Eval

/// What a natural language inference model says about a premise and a hypothesis; the three sum to 1.
public struct EntailmentProbabilities: Codable, Sendable, Equatable {
    /// Probability that the premise contradicts the hypothesis.
    public var contradiction: Double
    /// Probability that it says nothing about it.
    public var neutral: Double
    /// Probability that it entails it.
    public var entailment: Double

    /// From the three probabilities.
    public init(contradiction: Double, neutral: Double, entailment: Double) {
        self.contradiction = contradiction
        self.neutral = neutral
        self.entailment = entailment
    }
}

/// A premise and a hypothesis.
public struct EntailmentPair: Sendable, Hashable {
    /// The text taken as true.
    public var premise: String
    /// The text that is judged.
    public var hypothesis: String

    /// From the two texts.
    public init(premise: String, hypothesis: String) {
        self.premise = premise
        self.hypothesis = hypothesis
    }
}

/// A model of natural language inference, such as `roberta-large-mnli`.
public protocol EntailmentModel: Sendable {
    /// Names the model in caches and reports.
    var name: String { get }
    /// One answer for each pair.
    func probabilities(of pairs: [EntailmentPair]) throws -> [EntailmentProbabilities]
}

/// How two texts are scored by inference.
public struct NLIScoring: Codable, Sendable, Equatable {
    /// Scores only the most probable label, with its probability: contradiction positive, entailment negative, neutral 0.
    /// Otherwise the score is P(contradiction) − P(entailment).
    public var topLabelOnly: Bool
    /// Reports 1 − mean, as the paper's code does on top of a score that already grows with diversity.
    public var inverted: Bool
    /// Adds a period to both texts, as the paper's code does.
    public var appendsPeriod: Bool

    /// Scoring with these rules.
    public init(topLabelOnly: Bool = false, inverted: Bool = false, appendsPeriod: Bool = false) {
        self.topLabelOnly = topLabelOnly
        self.inverted = inverted
        self.appendsPeriod = appendsPeriod
    }

    /// All three probabilities, the plain mean.
    public static let standard = NLIScoring()

    /// What the paper's code computes.
    public static let reference = NLIScoring(topLabelOnly: true, inverted: true, appendsPeriod: true)

    /// The means that pairs can have, each from −2 to 2.
    var range: MetricRange { inverted ? MetricRange(least: -1, greatest: 3) : MetricRange(least: -2, greatest: 2) }

    /// The pair the model sees.
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

/// The mean over pairs of texts of contradiction minus entailment, both directions added, so −2…2; `nli_from_sim`
/// (Stasaski and Hearst, 2022, as the paper applies it).
public struct NLIDiversity: DiversityMetric {
    public let name = "nli_from_sim"
    public var higherIsMoreDiverse: Bool { !scoring.inverted }
    public var isMeanOverPairs: Bool { true }
    public func range(ofTexts count: Int) -> MetricRange { scoring.range }
    private let model: any EntailmentModel
    private let scoring: NLIScoring
    private let pairs: PairSample

    /// The metric under a model.
    /// - Parameter pairs: which pairs of a set are judged, all of them unless said otherwise.
    public init(_ model: any EntailmentModel, scoring: NLIScoring = .standard, pairs: PairSample = PairSample()) {
        self.model = model
        self.scoring = scoring
        self.pairs = pairs
    }

    /// Every pair of texts in both directions, a text with itself too.
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
        // One pair of texts is two directions, so the mean over pairs is the sum over directions over the pairs.
        let mean = scores.reduce(0, +) / (Double(scores.count) / 2)
        return scoring.inverted ? 1 - mean : mean
    }
}

extension TextCollection {
    /// The judge that remembers what the model said about pairs of these texts.
    func judge(_ model: any EntailmentModel, _ scoring: NLIScoring) -> EntailmentJudge {
        derived("inference by \(model.name), \(scoring)") { EntailmentJudge(model: model, scoring: scoring) }
    }
}

/// Asks a model for scores and remembers them: every different pair is asked once.
final class EntailmentJudge {
    private let model: any EntailmentModel
    private let scoring: NLIScoring
    private var known: [[UInt8]: Double] = [:]

    init(model: any EntailmentModel, scoring: NLIScoring) {
        self.model = model
        self.scoring = scoring
    }

    /// Both directions of two texts as the model sees them.
    func directions(_ a: String, _ b: String) -> [EntailmentPair] {
        [scoring.pair(a, b), scoring.pair(b, a)]
    }

    /// The score of each pair, the unknown ones asked in one call.
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
