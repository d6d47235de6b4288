import Eval

/// A model that estimates the probability that two answers say the same thing.
public protocol SimilarityModel: Sendable {
    /// The name of the model in caches and reports.
    var name: String { get }
    /// The probability that the two texts of each pair say the same thing, in the order of the pairs.
    /// - Throws: if the model fails.
    func probabilities(of pairs: [(first: String, second: String)]) throws -> [Double]
}

/// The equivalence of NoveltyBench (Zhang et al. 2025).
///
/// Two texts of at most five words each are equivalent if twice the number of distinct words they share is at least the word
/// count of the longer text. All other pairs are equivalent if a classifier's probability is above a threshold, 0.102 by
/// default.
///
/// Words are separated by white space and lower-cased.
public struct ClassifierEquivalence: AnswerEquivalence {
    /// NoveltyBench's threshold.
    public static let defaultThreshold = 0.102
    /// Texts with more words are judged by the classifier.
    private static let mostWords = 5

    public var name: String { "P by \(model.name) above \(threshold)" }
    public var isCheap: Bool { false }
    private let model: any SimilarityModel
    private let threshold: Double

    /// The equivalence for a classifier; two longer answers are equivalent if their probability is above `threshold`, 0…1.
    public init(_ model: any SimilarityModel, threshold: Double = defaultThreshold) {
        self.model = model
        self.threshold = threshold
    }

    public func areEquivalent(_ pairs: [AnswerPair], in collection: TextCollection) throws -> [Bool] {
        let words = collection.derived("words of short texts") { collection.texts.map(Self.shortWords) }
        var result = [Bool](repeating: false, count: pairs.count)
        var open: [Int] = []
        for (place, pair) in pairs.enumerated() {
            guard let first = words[pair.first], let second = words[pair.second] else {
                open.append(place)
                continue
            }
            result[place] = Set(first).intersection(second).count * 2 >= max(first.count, second.count)
        }
        guard !open.isEmpty else { return result }
        let answers = try model.probabilities(of: open.map { (collection.texts[pairs[$0].first], collection.texts[pairs[$0].second]) })
        guard answers.count == open.count else {
            throw DiversityError.wrongCount(of: "probabilities", got: answers.count, expected: open.count)
        }
        for (place, probability) in zip(open, answers) { result[place] = probability > threshold }
        return result
    }

    /// The words of a text with at most ``mostWords`` words; nil for a longer text.
    private static func shortWords(of text: String) -> [[UInt8]]? {
        let words = TextRules.whitespaceWords(TextRules.lowercased(text))
        return words.count <= mostWords ? words : nil
    }
}
