import Eval

/// A model that says how probable it is that two answers say the same.
public protocol SimilarityModel: Sendable {
    /// Names the model in caches and reports.
    var name: String { get }
    /// One probability for each pair, the first text before the second.
    func probabilities(of pairs: [(first: String, second: String)]) throws -> [Double]
}

/// NoveltyBench's equivalence (Zhang et al. 2025): two texts of at most five words say the same where twice the number of different words
/// that they have in common is at least the number of words of the longer one; others where a classifier gives more than 0.102.
///
/// Words are what lies between white space, in lower case.
public struct ClassifierEquivalence: AnswerEquivalence {
    /// NoveltyBench's threshold.
    public static let defaultThreshold = 0.102
    /// Texts of more words are the classifier's.
    private static let mostWords = 5

    public var name: String { "P by \(model.name) above \(threshold)" }
    public var isCheap: Bool { false }
    private let model: any SimilarityModel
    private let threshold: Double

    /// Two longer answers are one above `threshold`, 0…1.
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

    /// The words of a text that has few of them.
    private static func shortWords(of text: String) -> [[UInt8]]? {
        let words = TextRules.whitespaceWords(TextRules.lowercased(text))
        return words.count <= mostWords ? words : nil
    }
}
