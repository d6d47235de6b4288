import Data
import Foundation
import Models
import Tensor
import Train
import _TestSupport

/// A tiny model of Tests/Fixtures/models with losses and gradients by PyTorch; see make_models.py there.
///
/// llama-dynamic is left out: its numbers depend on the length of what is fed, and the trainers do not feed the last token.
struct ModelFixture {
    struct Expectations: Decodable {
        struct Sequence: Decodable {
            let tokens: [Int32]
            let promptLength: Int
        }
        struct Reward: Decodable {
            struct Pair: Decodable {
                let first: [Int32]
                let second: [Int32]
                let choice: Int
            }
            let pairs: [Pair]
            let scores: [[Double]]
            let loss: Double
        }
        let sequences: [Sequence]
        let trainedTokens: Int
        let loss: Double
        let adamWLosses: [Double]
        let reward: Reward
    }

    static let all = [
        "llama-gqa", "llama-tied-biases-llama3", "llama-linear", "llama-v5-config", "opt-pre-norm", "opt-post-norm",
        "opt-post-norm-projected", "opt-bare", "gpt2", "gpt2-scaled",
    ]

    let decoder: any TransformerDecoder
    let head: ValueHead
    let expected: Expectations
    private let tensors: [String: FixtureTensor]

    init(_ name: String) throws {
        let model = try LanguageModel.loadRewardModel(Fixtures.url("models/\(name)"))
        (decoder, head) = (model.decoder, model.head)
        expected = try Fixtures.json(Expectations.self, from: "models/\(name)/expected.json")
        tensors = try Fixtures.safetensors("models/\(name)/expected.safetensors")
    }

    var examples: [TokenisedExample] {
        expected.sequences.enumerated().map { index, sequence in
            TokenisedExample(
                id: "\(index)", prompt: Array(sequence.tokens.prefix(sequence.promptLength)),
                target: Array(sequence.tokens.dropFirst(sequence.promptLength)))
        }
    }

    /// The pairs with `shared` tokens of each side as the prompt of both.
    func comparisons(shared: Int) -> [TokenisedComparison] {
        expected.reward.pairs.enumerated().map { index, pair in
            TokenisedComparison(
                id: "\(index)", prompt: Array(pair.first.prefix(shared)),
                summaries: [pair.first, pair.second].map { Array($0.dropFirst(shared)) }, choice: pair.choice)
        }
    }

    /// The gradients whose names begin with `prefix`, without it, in the shapes of the parameters.
    func gradients(_ prefix: String) -> [String: Tensor] { gradients(of: tensors, prefix) }

    /// The same of other numbers than those of expected.safetensors.
    func gradients(of tensors: [String: FixtureTensor], _ prefix: String) -> [String: Tensor] {
        let turned = Set(decoder.parameters.filter(decoder.isStoredTransposed).map(\.name))
        var result: [String: Tensor] = [:]
        for (key, tensor) in tensors where key.hasPrefix(prefix) {
            let name = String(key.dropFirst(prefix.count))
            result[name] = turned.contains(name) ? tensor.tensor.transposed() : tensor.tensor
        }
        return result
    }
}
