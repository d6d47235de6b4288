import Eval
import Foundation
import Models
import Testing
import _TestSupport

/// The original's `sentiment`: a label's probability on query + response.
@Suite struct ClassifierRewardTests {
    /// Query, response, and the probabilities that Transformers gives (AutoModelForSequenceClassification on the folders of
    /// Tests/Fixtures/encoders, `truncation_side="left"`); the second text is longer than the models read.
    private static let texts = [
        ("A cat sat on the mat.", " Why?"), (String(repeating: "a dog ", count: 40), "barked at last"),
    ]
    private static let expected: [String: [[Double]]] = [
        "bert": [[0.4224484, 0.1893156, 0.388236], [0.5098265, 0.1465911, 0.3435824]],
        "roberta": [[0.0433103, 0.1207715, 0.8359182], [0.0470169, 0.1276111, 0.8253719]],
    ]

    private let requests = Self.texts.map { RewardRequest(query: $0.0, response: $0.1) }

    @Test("the probability of a label, by number or name; the second one unless given", arguments: ["bert", "roberta"])
    func probabilities(_ name: String) throws {
        let folder = Fixtures.url("encoders/\(name)")
        let expected = try #require(Self.expected[name])
        let labels = try ClassifierReward(folder).labels
        #expect(labels.count == 3)
        for (place, label) in labels.enumerated() {
            for word in [label, label.uppercased(), "\(place)"] {
                let found = try ClassifierReward(folder, label: word).rewards(for: requests)
                #expect(zip(found, expected).allSatisfy { abs($0 - $1[place]) < 1e-5 }, "\(word): \(found)")
            }
        }
        let usual = try ClassifierReward(folder).rewards(for: requests)
        #expect(zip(usual, expected).allSatisfy { abs($0 - $1[1]) < 1e-5 })
    }

    @Test("a label that the classifier does not know is named with those that it knows")
    func unknown() throws {
        let error = #expect(throws: EncoderError.self) {
            try ClassifierReward(Fixtures.url("encoders/bert"), label: "positive")
        }
        #expect(error?.description.contains("entailment") ?? false)
    }
}
