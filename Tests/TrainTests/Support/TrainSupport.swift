import Data
import Eval
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Small random models for training tests.
enum TinyModel {
    static func llama(layers: Int = 3, vocabulary: Int = 24, context: Int = 64, seed: UInt64 = 1) throws -> Llama {
        try Llama(
            LlamaConfiguration(
                vocabularySize: vocabulary, hiddenSize: 16, intermediateSize: 24, layerCount: layers, heads: 4, keyHeads: 2,
                contextLength: context, normEpsilon: 1e-5),
            weights: RandomWeights(generator: Philox(seed: seed), standardDeviation: 0.3))
    }

    static let families = ["llama", "opt", "opt-350m", "gpt2"]

    /// A model of a family with 3 layers of width 16; that of the 350m shape has a head of width 8.
    static func make(_ family: String) throws -> any TransformerDecoder {
        let weights = RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3)
        switch family {
        case "opt", "opt-350m":
            var settings = OPTConfiguration(
                vocabularySize: 24, hiddenSize: 16, feedForwardSize: 24, layerCount: 3, heads: 4, contextLength: 64)
            if family == "opt-350m" { (settings.normalisesBefore, settings.embeddingSize) = (false, 8) }
            return try OPT(settings, weights: weights)
        case "gpt2":
            return try GPT2(
                GPT2Configuration(vocabularySize: 24, hiddenSize: 16, layerCount: 3, heads: 4, contextLength: 64),
                weights: weights)
        default: return try llama()
        }
    }

    static func head(seed: UInt64 = 2, width: Int = 16) -> ValueHead {
        var random = Philox(seed: seed)
        return ValueHead(weight: .normal([1, width], standardDeviation: 0.3, using: &random), bias: 0.1)
    }
}

/// Settings with some changes.
func configured<Settings>(_ settings: Settings, _ change: (inout Settings) throws -> Void) rethrows -> Settings {
    var settings = settings
    try change(&settings)
    return settings
}

extension RewardEvaluation {
    /// What a model does on some pairs, one at a time.
    init(of model: RewardModel, _ pairs: [TokenisedComparison]) {
        self.init(scores: pairs.flatMap { RewardLoss.scores(model, [$0]).values }, choices: pairs.map(\.choice))
    }
}

extension Advantages {
    /// Advantages normalised by their own moments.
    static func normalised(_ rows: [[Float]], lengths: [Int]? = nil) -> [[Float]] {
        normalised(rows, by: moments(of: rows, lengths: lengths))
    }
}

/// A tokenizer whose words are the ids.
struct NumberTokenizer: Tokenizer {
    var vocabularySize = 24
    /// Whether a text begins with token 1 where special tokens are wanted.
    var addsBegin = false
    var beginOfSequence: Int32? { 1 }
    var endOfSequence: Int32? { 2 }
    var padding: Int32? { 0 }
    var unknown: Int32? { nil }
    func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] {
        (addsBegin && addingSpecialTokens ? [1] : []) + text.split(separator: " ").compactMap { Int32($0) }
    }
    func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
        ids.filter { !skippingSpecialTokens || $0 > 2 }.map(String.init).joined(separator: " ")
    }
    func save(to folder: URL) throws {}
}

/// Random prompts and answers of mixed lengths, over tokens 3..<vocabulary; answers end with 2.
enum ToyData {
    static func tokens(_ count: Int, vocabulary: Int = 24, using random: inout Philox) -> [Int32] {
        (0..<count).map { _ in Int32.random(in: 3..<Int32(vocabulary), using: &random) }
    }

    static func examples(_ count: Int, seed: UInt64 = 7) -> [TokenisedExample] {
        var random = Philox(seed: seed)
        return (0..<count).map { index in
            TokenisedExample(
                id: "e\(index)", prompt: tokens(1 + index * 5 % 9, using: &random),
                target: tokens(index * 3 % 7, using: &random) + [2])
        }
    }

    static func comparisons(_ count: Int, seed: UInt64 = 7) -> [TokenisedComparison] {
        var random = Philox(seed: seed)
        return (0..<count).map { index in
            TokenisedComparison(
                id: "c\(index)", prompt: tokens(1 + index * 5 % 9, using: &random),
                summaries: [
                    tokens(index * 3 % 7, using: &random) + [2], tokens(1 + index % 5, using: &random) + [2],
                ], choice: Int(random.next() % 2))
        }
    }

    static func prompts(_ count: Int, seed: UInt64 = 7) -> [TokenisedPrompt] {
        var random = Philox(seed: seed)
        return (0..<count).map { index in
            let tokens = tokens(1 + index * 5 % 9, using: &random)
            return TokenisedPrompt(
                id: "p\(index)", tokens: tokens, query: tokens.map(String.init).joined(separator: " "), reference: "r\(index)",
                isTruncated: false)
        }
    }
}

/// The share of a response's tokens that are one token.
struct TokenShare: RewardFunction {
    var token: Int32
    func rewards(for requests: [RewardRequest]) throws -> [Double] {
        requests.map { request in
            Double(request.responseTokens.count { $0 == token }) / Double(max(1, request.responseTokens.count))
        }
    }
}

/// Everything that a trainer reported, as comparable text and numbers.
final class EventLog {
    struct Measurement: Equatable {
        let step: Int
        let values: [String: Double]
    }
    private(set) var measurements: [Measurement] = []
    private(set) var losses: [Double] = []
    private(set) var steps: [Int] = []
    private(set) var rows: [SampleRow] = []
    private(set) var notes: [String] = []
    private(set) var parts: [PartProgress] = []
    private(set) var stages: [String] = []

    var handler: TrainingEventHandler {
        { [self] event in
            switch event {
            case .began(let stage, _, _, _, _): stages.append(stage)
            case .progressed(let step, _, _, let figure):
                steps.append(step)
                if let figure { losses.append(figure.name == "score" ? -figure.value : figure.value) }
            case .measured(let step, let values): measurements.append(Measurement(step: step, values: values))
            case .sampled(_, let new): rows += new
            case .noted(let text): notes.append(text)
            case .part(let part): parts.append(part)
            case .ended: break
            }
        }
    }

    /// The last number reported under a name.
    func last(_ name: String) -> Double? { measurements.last { $0.values[name] != nil }?.values[name] }
    func all(_ name: String) -> [Double] { measurements.compactMap { $0.values[name] } }
}

/// The values of parameters at one moment.
struct Weights {
    let names: [String]
    let values: [Tensor]

    init(_ parameters: [Parameter]) {
        names = parameters.map(\.name)
        values = parameters.map(\.value)
    }
    init(_ decoder: any TransformerDecoder, _ head: ValueHead? = nil) { self.init(decoder.parameters + (head?.parameters ?? [])) }

    /// The names of the parameters that have other bits now.
    func moved(_ parameters: [Parameter]) -> Set<String> {
        Set(zip(values, parameters).filter { !$0.isIdentical(to: $1.value) }.map(\.1.name))
    }

    func expectIdentical(to other: Weights, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(names == other.names, sourceLocation: sourceLocation)
        for (index, name) in names.enumerated() {
            #expect(values[index].isIdentical(to: other.values[index]), "\(name)", sourceLocation: sourceLocation)
        }
    }

    func expectClose(to other: Weights, absolute: Double, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(names == other.names, sourceLocation: sourceLocation)
        for (index, name) in names.enumerated() {
            _TestSupport.expectClose(
                values[index], other.values[index], relative: 0, absolute: absolute, label: name,
                sourceLocation: sourceLocation)
        }
    }
}

extension [Parameter] {
    /// The gradients that have arrived, by name.
    var gradients: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: compactMap { parameter in parameter.gradient.map { (parameter.name, $0) } })
    }
}

/// Expects gradients to equal PyTorch's to 1e-4 of each tensor's greatest element; what is far smaller than all others is noise.
func expectGradients(
    _ actual: [String: Tensor], _ expected: [String: Tensor], _ label: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    func size(_ tensor: Tensor) -> Double { Double(tensor.values.map(abs).max() ?? 0) }
    #expect(Set(actual.keys) == Set(expected.keys), "\(label)", sourceLocation: sourceLocation)
    let largest = expected.values.map(size).max() ?? 0
    for (name, gradient) in expected {
        guard let found = actual[name] else { continue }
        expectClose(
            found, gradient, relative: 0, absolute: 1e-4 * max(size(gradient), 1e-3 * largest), label: "\(label) \(name)",
            sourceLocation: sourceLocation)
    }
}
