import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Reward models as …ForSequenceClassification with one label.
@Suite struct SequenceClassifierTests {
    static let architectures = [
        ("llama-gqa", "LlamaForSequenceClassification"), ("llama-tied-biases-llama3", "LlamaForSequenceClassification"),
        ("opt-post-norm-projected", "OPTForSequenceClassification"), ("gpt2-scaled", "GPT2ForSequenceClassification"),
        ("qwen3", "Qwen3ForSequenceClassification"), ("gemma3_text", "Gemma3TextForSequenceClassification"),
        ("phi", "PhiForSequenceClassification"), ("gpt_neox", "GPTNeoXForSequenceClassification"),
    ]

    /// What Transformers made, with weights of a family's classifier. Its batches are padded on the right; here nothing is padded.
    @Test(
        "scores of Transformers' classifiers",
        arguments: ["llama", "qwen2", "qwen3", "gemma2", "gemma3_text", "gpt_neox", "mistral"])
    func parity(_ family: String) throws {
        struct Expected: Decodable {
            let rows: [[Int32]]
            let lengths: [Int]
            let scores: [Double]
        }
        let expected = try Fixtures.json(Expected.self, from: "models/classifiers/\(family)/expected.json")
        let model = try LanguageModel.loadRewardModel(Fixtures.url("models/classifiers/\(family)"))
        let texts = zip(expected.rows, expected.lengths).map { Array($0.prefix($1)) }
        expectClose(model.scores(texts), expected.scores, relative: 1e-5, absolute: 2e-6, label: family)
        #expect(expected.scores.count == 4)
    }

    @Test("a classifier holds the scaled head, and is read back with the same scores", arguments: architectures)
    func roundTrip(_ name: String, architecture: String) throws {
        let fixture = try ModelFixture(name)
        let original = RewardModel(fixture.model.decoder, head: try #require(fixture.model.head))
        let texts = fixture.expected.reward.pairs.flatMap { [$0.first, $0.second] }
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("classifier")
            var notes: [String] = []
            try fixture.model.saveClassifier(to: folder, tokens: SpecialTokens(end: 2, padding: 4)) { notes.append($0) }
            // every fixture's head has a bias and a normalisation, which a classifier has no place for
            #expect(notes.count == 1 && notes[0].contains("no bias"))
            let configuration = try ModelFolder(folder).configuration()
            #expect(configuration["architectures"] == [.string(architecture)])
            #expect(configuration["id2label"]?.members?.count == 1 && configuration["pad_token_id"]?.int == 4)
            let store = try ModelFolder(folder).weights()
            #expect(!store.names.contains { $0.hasPrefix("v_head") || $0 == "lm_head.weight" })
            let weight = original.head.weight.value.scaled(by: 1 / original.head.normalisationStd.value.item)
            expectClose(
                try store.floats(of: "score.weight", shape: weight.shape.dimensions), weight.values, relative: 1e-6)

            let again = try LanguageModel.loadRewardModel(folder)
            // the projection that the folder lacks takes no memory
            #expect(again.decoder.projection.value.isIdentical(to: again.decoder.embeddingParameters[0].value))
            #expect(try LanguageModel.load(folder).hasFreshProjection != again.decoder.isTied)
            expectClose(again.scores(texts), original.scores(texts), relative: 1e-5, absolute: 1e-6, label: name)
            // the logit alone lacks the constant that the note speaks of
            let offset = try #require(configuration["score_offset"]?.double)
            let logits = texts.map { text in
                zip(again.decoder.alone(text).rows([text.count - 1]).values, weight.values).reduce(0) {
                    $0 + $1.0 * $1.1
                }
            }
            expectClose(logits.map { Double($0) + offset }, original.scores(texts), relative: 1e-5, absolute: 2e-6)
        }
    }

    @Test("padding that Transformers would misread is announced")
    func padding() throws {
        let model = LanguageModel(
            decoder: try TinyModel.Kind.gpt2.make(), head: ValueHead(weight: .filled(1, [1, 16]), bias: 0))
        func notes(_ tokens: SpecialTokens) throws -> [String] {
            try withTemporaryFolder { parent in
                var notes: [String] = []
                try model.saveClassifier(to: parent.appendingPathComponent("c"), tokens: tokens) { notes.append($0) }
                return notes
            }
        }
        #expect(try notes(SpecialTokens(end: 2, padding: 0)).isEmpty)
        #expect(try notes(SpecialTokens(end: 2)).map { $0.contains("no pad_token_id") } == [true])
        #expect(
            try notes(SpecialTokens(end: 2, padding: 2)).map { $0.contains("before a text's last token") } == [true])
    }

    @Test("heads that are fresh, missing or no linear function are refused")
    func refusals() throws {
        let decoder = try TinyModel.Kind.opt.make()
        var random = Philox(seed: 3)
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("c")
            func save(_ head: ValueHead?) throws {
                try LanguageModel(decoder: decoder, head: head).saveClassifier(to: folder)
            }
            #expect(throws: ModelError.noHead) { try save(nil) }
            #expect(throws: ModelError.noHead) { try save(ValueHead(width: 16, using: &random)) }
            #expect(throws: ModelError.noClassifier("a head with a tanh cannot be saved as a sequence classifier")) {
                try save(TinyModel.head(usesTanh: true))
            }
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }
}
