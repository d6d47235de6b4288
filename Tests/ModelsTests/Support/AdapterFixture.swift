import Foundation
import Models
import Tensor
import _TestSupport

/// An adapter of Tests/Fixtures/adapters with what PEFT computes with it; see make_adapters.py there.
struct AdapterFixture {
    struct Expectations: Decodable {
        struct Sequence: Decodable {
            let tokens: [Int32]
            let promptLength: Int
        }
        let model: String
        let sequences: [Sequence]
        let trainable: [String]
        let loss: Double
        let trainedTokens: Int
        let gradientNorm: Double
        let adamWLosses: [Double]
    }

    static let all = ["lora", "lora-all-linear", "rslora", "dora", "lora-patterns", "lora-gpt2", "dora-gpt2"]

    let folder: URL
    let model: LanguageModel
    let expected: Expectations
    let tensors: [String: FixtureTensor]

    var decoder: any TransformerDecoder { model.decoder }

    init(_ name: String) throws {
        folder = Fixtures.url("adapters/\(name)")
        model = try LanguageModel.load(folder)
        expected = try Fixtures.json(Expectations.self, from: "adapters/\(name)/expected.json")
        tensors = try Fixtures.safetensors("adapters/\(name)/expected.safetensors")
    }

    /// The mean of -log p of what follows the prompts.
    func loss(_ decoder: any TransformerDecoder, on tape: Tape? = nil, dropout: DropoutSource? = nil) -> Tensor {
        var batch = TokenBatch(expected.sequences.map(\.tokens))
        batch.dropout = dropout
        let wanted = zip(batch.rows, expected.sequences).map { $0.lowerBound + $1.promptLength - 1..<$0.upperBound - 1 }
        let targets = expected.sequences.flatMap { $0.tokens.dropFirst($0.promptLength) }
        return decoder.crossEntropy(
            decoder.hidden(batch, wanted: wanted, on: tape), targets: targets,
            rowWeights: Array(repeating: 1 / Float(targets.count), count: targets.count), on: tape)
    }
}

extension TransformerDecoder {
    /// Gives an adapter's tensors values that change the model.
    func shakeAdapter(seed: UInt64 = 3) {
        for parameter in adapter?.parameters ?? [] {
            var stream = Philox(seed: seed).split(parameter.name)
            let noise = Tensor.normal(parameter.value.shape, standardDeviation: 0.2, using: &stream)
            parameter.value = parameter.value.shape.dimensions.count == 1 ? parameter.value + parameter.value * noise : noise
        }
    }
}
