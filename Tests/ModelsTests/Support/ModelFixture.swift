import Foundation
import Models
import Tensor
import _TestSupport

/// A tiny model of Tests/Fixtures/models with what PyTorch computes with it; see make_models.py there.
struct ModelFixture {
    struct Expectations: Decodable {
        struct Sequence: Decodable {
            let tokens: [Int32]
            let promptLength: Int
        }
        struct Greedy: Decodable {
            let prompt: [Int32]
            let tokens: [Int32]
        }
        struct Reward: Decodable {
            struct Pair: Decodable {
                let first: [Int32]
                let second: [Int32]
                let choice: Int
            }
            let pairs: [Pair]
            let scores: [[Double]]
        }
        let parameters: [String]
        let loss: Double
        let trainedTokens: Int
        let sequences: [Sequence]
        let greedy: Greedy
        let greedyUncached: Greedy?
        let greedyAcrossWindow: Greedy?
        let reward: Reward
    }

    static let all =
        [
            "bloom", "bloom-post-norm", "gemma2", "gemma2-biases", "gemma3_text", "gemma3_text-six-layers", "gpt_neo", "gpt_neo-untied",
            "gpt_neox",
            "gpt_neox-no-biases", "gpt_neox-sequential", "gptj", "gptj-tied", "llama-wide-heads", "llama-yarn", "mistral",
            "mistral-no-window",
            "olmo2", "olmo2-wide-heads", "phi", "phi-grouped", "phi3", "phi3-longrope", "phi3-window-partial", "qwen2", "qwen2-wide-heads",
            "qwen3", "qwen3-window-biases", "smollm3", "smollm3-window", "stablelm", "stablelm-parallel",
        ] + first

    /// The families that were there first.
    static let first = [
        "llama-gqa", "llama-tied-biases-llama3", "llama-linear", "llama-dynamic", "llama-v5-config", "opt-pre-norm",
        "opt-post-norm", "opt-post-norm-projected", "opt-bare", "gpt2", "gpt2-scaled",
    ]

    let folder: URL
    let model: LanguageModel
    let expected: Expectations
    let tensors: [String: FixtureTensor]

    init(_ name: String) throws {
        folder = Fixtures.url("models/\(name)")
        model = try LanguageModel.load(folder)
        expected = try Fixtures.json(Expectations.self, from: "models/\(name)/expected.json")
        tensors = try Fixtures.safetensors("models/\(name)/expected.safetensors")
    }

    /// The decoder with room for 200 tokens behind a prompt; dynamic scaling, which stretches by 2 here, is given more.
    func roomyDecoder() throws -> any TransformerDecoder {
        guard let llama = model.decoder as? Llama, case .dynamic = llama.settings.rope.scaling else {
            return model.decoder
        }
        var settings = llama.settings
        settings.contextLength = 256
        return try Llama(settings, weights: ModelFolder(folder).weights())
    }
}
