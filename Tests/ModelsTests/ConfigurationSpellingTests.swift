import Formats
import Models
import Tensor
import Testing
import _TestSupport

/// Configurations in the spellings of Transformers 4 and 5 (Tests/Fixtures/models/spellings.json) against what its classes make of them.
@Suite struct ConfigurationSpellingTests {
    private static func decoder(_ configuration: JSONValue) throws -> StackedDecoder {
        let source = RandomWeights(generator: Philox(seed: 3), standardDeviation: 0.2)
        return try #require(ModelFamily.builtIn.build(ConfigurationReader(configuration), weights: source) as? StackedDecoder)
    }

    @Test func bothSpellings() throws {
        let cases = try JSONValue(contentsOf: Fixtures.url("models/spellings.json")).array ?? []
        #expect(cases.count == 51)
        for example in cases {
            let name = try #require(example["name"]?.string)
            let resolved = try #require(example["resolved"])
            let decoders = try ["v4", "v5"].map { try Self.decoder(try #require(example[$0])) }
            for decoder in decoders { try check(decoder, resolved, name) }
            let texts = TokenBatch([[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], [8, 9, 7]])
            let logits = decoders.map { $0.logits($0.hidden(texts, wanted: texts.rows)).values }
            #expect(logits[0] == logits[1], "\(name)")
        }
    }

    private func check(_ decoder: StackedDecoder, _ resolved: JSONValue, _ name: String) throws {
        #expect(decoder.shape.headDim == resolved["headDimension"]?.int, "\(name)")
        #expect(decoder.shape.keyHeads == resolved["keyHeads"]?.int, "\(name)")
        #expect(decoder.isTied == resolved["tied"]?.bool, "\(name)")
        let caps = resolved["softCaps"]?.array ?? []
        #expect(decoder.logitCap.map(Double.init) == caps.last?.double, "\(name)")
        let layers = try #require(resolved["layers"]?.array)
        #expect(layers.count == decoder.layers.count)
        for (layer, expected) in zip(decoder.layers, layers) {
            let scores = layer.attention.scores
            #expect(scores.window == expected["window"]?.int, "\(name)")
            #expect(scores.cap.map(Double.init) == caps.first?.double, "\(name)")
            #expect((layer.attention.rotary != nil) == expected["rotates"]?.bool, "\(name)")
            let scale = Double(scores.scale ?? 1 / Float(decoder.shape.headDim).squareRoot())
            #expect(abs(scale - (resolved["scoreScale"]?.double ?? 0)) < 1e-6, "\(name)")
            guard let rotary = layer.attention.rotary, let kind = expected["kind"]?.string,
                let wanted = resolved["rotary"]?[kind] ?? resolved["rotary"]?["full"]
            else { continue }
            #expect((rotary.dim + 1) / 2 * 2 == wanted["channels"]?.int, "\(name)")
            #expect(rotary.settings.base == wanted["base"]?.double, "\(name)")
            let frequencies = rotary.settings.frequencies(dim: rotary.dim, length: 1)
            for (found, frequency) in zip(frequencies, wanted["inverseFrequencies"]?.array ?? []) {
                let value = try #require(frequency.double)
                #expect(abs(found - value) <= 1e-6 * value, "\(name)")
            }
        }
    }
}
