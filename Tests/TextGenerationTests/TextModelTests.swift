import Data
import Foundation
import Models
import Tensor
import Testing
import TextGeneration
import _TestSupport

@Suite struct TextModelTests {
    private let model: TextModel

    init() throws {
        let texts = ["a red fox ran home", "my boat is far too slow", "é ü ñ and 🦊 in a text", "one two three four five"]
        let tokenizer = try BPETrainer(vocabularySize: 270, minimumCount: 1).train(on: texts)
        let settings = LlamaConfiguration(
            vocabularySize: tokenizer.vocabularySize, hiddenSize: 16, intermediateSize: 24, layerCount: 2, heads: 2, contextLength: 128)
        let decoder = try Llama(settings, weights: RandomWeights(generator: Philox(seed: 4), standardDeviation: 0.6))
        model = TextModel(LanguageModel(decoder: decoder), tokenizer: tokenizer)
    }

    private func direct(_ prompt: String, seed: UInt64, count: Int = 24) throws -> GeneratedResponse {
        let random = Philox(seed: seed).split(UInt64(0)).split(UInt64(0))
        return try Generator(model.model.decoder, endOfSequence: model.tokenizer.endOfSequence, validTokens: model.tokenizer.vocabularySize)
            .generate(
                [GenerationRequest(prompt: model.tokenizer.encodeOpening(prompt), streams: [random])],
                options: SamplingOptions(maxNewTokens: count))[0][0]
    }

    @Test("a text is what the generator draws, and the seed decides", arguments: [1, 2, 3] as [UInt64])
    func text(seed: UInt64) throws {
        let found = try model.generate("a red", maxNewTokens: 24, seed: seed)
        let expected = try direct("a red", seed: seed)
        #expect(found.tokens == expected.tokens && found.logProbs == expected.logProbs)
        #expect(found.text == model.tokenizer.decode(expected.tokens, skippingSpecialTokens: true))
        #expect(found.finish == (expected.ended ? .endOfSequence : .length))
        #expect(try model.generate("a red", maxNewTokens: 24, seed: seed) == found)
        #expect(try model.generate("a red", maxNewTokens: 24, seed: seed + 10).tokens != found.tokens)
    }

    @Test("a stop string ends the text in front of it, and no more tokens are drawn", arguments: 0..<6 as Range<UInt64>)
    func stops(seed: UInt64) throws {
        let whole = try model.generate("fox", maxNewTokens: 40, seed: seed)
        guard whole.text.count > 8 else { return }
        let stop = String(whole.text.dropFirst(4).prefix(2))
        let cut = try model.generate("fox", maxNewTokens: 40, stop: ["", stop, "never there at all"], seed: seed)
        let place = try #require(whole.text.firstRange(of: stop)?.lowerBound)
        #expect(cut.text == whole.text[..<place] && cut.finish == .stopString(stop))
        #expect(cut.tokens.count < whole.tokens.count && whole.tokens.starts(with: cut.tokens))
    }

    @Test("streamed pieces are the text, whatever is held back", arguments: 0..<12 as Range<UInt64>)
    func streams(seed: UInt64) throws {
        for stop in [[], ["o", "e "], ["\u{FFFD}"]] {
            var pieces: [String] = []
            let found = try model.generate("fox", maxNewTokens: 40, stop: stop, seed: seed) { pieces.append($0) }
            #expect(pieces.joined().unicodeScalars.elementsEqual(found.text.unicodeScalars), "\(pieces) \(found)")
            #expect(pieces.allSatisfy { !$0.isEmpty })
        }
        struct Enough: Error {}
        #expect(throws: Enough.self) { try model.generate("fox", maxNewTokens: 40, seed: seed) { _ in throw Enough() } }
    }

    @Test("a prompt's texts do not depend on the others of a call")
    func batches() throws {
        let options = SamplingOptions(maxNewTokens: 12)
        let all = try model.generate(["a red", "boat"], count: 3, options: options, random: Philox(seed: 9))
        #expect(all.map(\.count) == [3, 3] && Set(all[0].map(\.tokens)).count > 1)
        let alone = try model.generate(["a red"], count: 1, options: options, random: Philox(seed: 9))
        #expect(alone[0][0] == all[0][0])
    }

    @Test("a closure may change the logits; the log-probabilities stay the model's")
    func logits() throws {
        let plain = try direct("a red", seed: 5)
        var generator = Generator(model.model.decoder, endOfSequence: nil, validTokens: model.tokenizer.vocabularySize)
        let request = GenerationRequest(
            prompt: model.tokenizer.encodeOpening("a red"), streams: [Philox(seed: 5).split(UInt64(0)).split(UInt64(0))])
        generator.processLogits = { _, _ in }
        let same = try generator.generate([request], options: SamplingOptions(maxNewTokens: 24))[0][0]
        #expect(same.tokens.starts(with: plain.tokens) && same.logProbs.starts(with: plain.logProbs))
        generator.processLogits = { logits, tokens in
            for id in logits.indices where id % 2 == tokens.count % 2 { logits[id] = -.infinity }
        }
        let forced = try generator.generate([request], options: SamplingOptions(maxNewTokens: 10))[0][0]
        #expect(forced.tokens.enumerated().allSatisfy { Int($1) % 2 != $0 % 2 })
        #expect(forced.logProbs.allSatisfy { $0.isFinite && $0 < 0 })
    }

    @Test("a saved folder, whose parents are made, loads as the same model")
    func folders() throws {
        let folder = try TemporaryFolder()
        try model.save(to: folder["some/where/model"])
        let again = try TextModel.load(folder["some/where/model"])
        #expect(try again.generate("boat", maxNewTokens: 20, seed: 3) == model.generate("boat", maxNewTokens: 20, seed: 3))
    }

    @Test("prompts without room or tokens are errors")
    func errors() throws {
        #expect(throws: GenerationError.self) { try model.generate(String(repeating: "red ", count: 300)) }
        #expect(throws: GenerationError.self) { try model.generate("a", maxNewTokens: 500) }
    }
}
