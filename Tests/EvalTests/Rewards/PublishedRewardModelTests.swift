import Eval
import Formats
import Foundation
import Models
import Testing
import _TestSupport

/// Reward models as they are published: sequence classifiers of any family, which read a pair of texts, messages or one text.
@Suite struct PublishedRewardModelTests {
    /// A tokenizer of single words, with a template of DeBERTa's form or without one.
    private static func tokenizer(isPair: Bool) -> JSONValue {
        let words = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "what", "is", "it", "a", "cat", "dog", "user", "assistant", "<", ">", ":"]
        var special: [JSONValue] = []
        for (id, word) in words.prefix(4).enumerated() {
            special.append([
                "id": JSONValue(id), "content": .string(word), "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
                "special": true,
            ])
        }
        func piece(_ kind: String, _ id: String, _ type: Int) -> JSONValue {
            .object([.init(kind, ["id": .string(id), "type_id": JSONValue(type)])])
        }
        let (cls, sep) = (piece("SpecialToken", "[CLS]", 0), piece("SpecialToken", "[SEP]", 0))
        let template: JSONValue = [
            "type": "TemplateProcessing", "single": [cls, piece("Sequence", "A", 0), sep],
            "pair": [cls, piece("Sequence", "A", 0), sep, piece("Sequence", "B", 1), piece("SpecialToken", "[SEP]", 1)],
            "special_tokens": [
                "[CLS]": ["id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]], "[SEP]": ["id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]],
            ],
        ]
        return [
            "version": "1.0", "added_tokens": .array(special), "normalizer": .null, "pre_tokenizer": ["type": "Whitespace"],
            "post_processor": isPair ? template : .null, "decoder": .null,
            "model": [
                "type": "WordLevel", "unk_token": "[UNK]",
                "vocab": .object(words.enumerated().map { .init($0.element, JSONValue($0.offset)) }),
            ],
        ]
    }

    private static let chat = "{% for m in messages %}<{{ m.role }}> : {{ m.content }} {% endfor %}"

    private func withModel(_ name: String, isPair: Bool, template: String? = nil, _ body: (URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            for file in ["config.json", "model.safetensors"] {
                try FileManager.default.copyItem(
                    at: Fixtures.url("encoders/\(name)/\(file)"), to: folder.appendingPathComponent(file))
            }
            try Self.tokenizer(isPair: isPair).write(to: folder.appendingPathComponent("tokenizer.json"))
            var configuration: JSONValue = ["tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"]
            if let template { configuration["chat_template"] = .string(template) }
            try configuration.write(to: folder.appendingPathComponent("tokenizer_config.json"))
            try body(folder)
        }
    }

    private let request = RewardRequest(query: "what is it", response: "a cat")

    @Test("an encoder reads a pair: special tokens, types and the logit of its only label")
    func pair() throws {
        try withModel("deberta-v3", isPair: true) { folder in
            let reward = try ClassifierReward(folder, value: .logit, format: .pair)
            let input = EncoderInput(ids: [1, 4, 5, 6, 2, 7, 8, 2], types: [0, 0, 0, 0, 0, 1, 1, 1])
            #expect(try reward.input(of: request) == input)
            let logit = try SequenceClassifier.load(folder).logits(of: [input]).values[0]
            #expect(try reward.rewards(for: [request]) == [Double(logit)])
            // the same model as the original's sentiment: a logistic function of it, on one text
            let probability = try ClassifierReward(folder).rewards(for: [request])[0]
            let text = try SequenceClassifier.load(folder).logits(of: [EncoderInput(ids: [1, 4, 5, 3, 8, 2])]).values[0]
            #expect(abs(probability - 1 / (1 + exp(-Double(text)))) < 1e-6)
        }
    }

    @Test("a decoder with a template reads messages: those of the row, where there are some")
    func chat() throws {
        try withModel("qwen3-reward", isPair: false, template: Self.chat) { folder in
            let reward = try ClassifierReward(folder, value: .logit, format: .chat)
            let user: [Int32] = [12, 10, 13, 14]
            let assistant: [Int32] = [12, 11, 13, 14]
            #expect(try reward.input(of: request).ids == user + [4, 5, 6] + assistant + [7, 8])
            var talk = request
            talk.messages = [
                ["role": "user", "content": "a dog"], ["role": "assistant", "content": "is it"], ["role": "user", "content": "what"],
            ]
            let ids = user + [7, 9] + assistant + [5, 6] + user + [4] + assistant + [7, 8]
            #expect(try reward.input(of: talk).ids == ids)
            let logits = try SequenceClassifier.load(folder).logits(of: [EncoderInput(ids: ids)]).values
            #expect(try reward.rewards(for: [talk]) == logits.map(Double.init))
            // the reward model that reads the same tokens says the same
            expectClose(try LanguageModel.loadRewardModel(folder).scores([ids]).map { $0 }, logits, relative: 1e-5, absolute: 1e-6)
        }
        try withModel("qwen3-reward", isPair: false) { folder in
            let error = #expect(throws: (any Error).self) { try ClassifierReward(folder, value: .logit, format: .chat) }
            #expect(String(describing: error).contains("no chat template"))
        }
    }

    @Test("of several labels one must be named")
    func severalLabels() throws {
        try withModel("electra", isPair: true) { folder in
            let error = #expect(throws: EncoderError.self) { try ClassifierReward(folder, value: .logit, format: .pair) }
            #expect(error?.description.contains("--reward-label") ?? false)
            #expect(error?.description.contains("fake, real") ?? false)
            let input = try ClassifierReward(folder, label: "0", value: .logit, format: .pair).input(of: request)
            let logits = try SequenceClassifier.load(folder).logits(of: [input]).values
            for (label, place) in [("real", 1), ("0", 0), ("FAKE", 0)] {
                #expect(
                    try ClassifierReward(folder, label: label, value: .logit, format: .pair).rewards(for: [request]) == [
                        Double(logits[place])
                    ])
            }
        }
    }
}
