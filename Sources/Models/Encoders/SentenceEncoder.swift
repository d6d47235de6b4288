internal import Formats
public import Foundation
public import Tensor

/// An encoder that gives one vector for each text, as a folder of sentence-transformers describes it.
///
/// Unchecked: the weights are written when the encoder is made and read from then on.
public struct SentenceEncoder: @unchecked Sendable {
    /// What is done to the vectors behind the pooling.
    private enum Step {
        case dense(Projection, usesTanh: Bool)
        /// Divided by their Euclidean norm.
        case normalise
    }

    /// What reads the tokens.
    public let encoder: any Encoder
    /// What makes one vector of the states; several are put one behind the other.
    public let pooling: [Pooling]
    /// The most tokens of a text, special ones included; nil if the folder leaves it to the tokenizer and the table of positions.
    public let maximumLength: Int?
    /// Whether texts are lower-cased before they reach the tokenizer.
    public let lowercases: Bool
    /// The folder of the encoder and its tokenizer.
    public let encoderFolder: URL
    /// What is put before every text: the folder's default prompt; empty where it names none.
    public let prompt: String
    /// Whether the prompt's tokens count in the pooling.
    public let poolsPrompt: Bool
    /// The similarity that the folder names for its vectors; nil where it says nothing.
    public let similarity: String?
    private var steps: [Step] = []

    /// The channels of a vector.
    public var width: Int {
        for case .dense(let projection, _) in steps.reversed() { return projection.weight.value.shape[0] }
        return pooledWidth
    }
    private var pooledWidth: Int { encoder.shape.hiddenSize * pooling.count }

    /// Loads a folder: modules.json with the folders that it names, or, where there is none, a plain encoder with mean pooling.
    ///
    /// Modules may be Transformer, Pooling, Dense and Normalize, in this order.
    /// - Throws: ``EncoderError/module(file:problem:)`` for other modules; ``CheckpointError``, ``ModelError``.
    /// - Parameters:
    ///   - families: the encoders that the folder may hold.
    ///   - decoders: the decoders that may stand in an encoder's place; see ``DecoderEncoder``.
    public static func load(
        _ folder: URL, families: [EncoderFamily] = EncoderFamily.builtIn, decoders: [ModelFamily] = ModelFamily.builtIn
    ) throws -> SentenceEncoder { try SentenceEncoder(folder, families, decoders) }

    private init(_ folder: URL, _ families: [EncoderFamily], _ decoders: [ModelFamily]) throws {
        var modules = try SentenceModules(folder).list
        let isSentenceFolder = !modules.isEmpty
        encoderFolder = modules.isEmpty ? folder : try modules[0].expect("Transformer")
        if !modules.isEmpty { modules.removeFirst() }
        encoder = try EncoderFolder.load(encoderFolder, families: families, decoders: decoders)
        // sentence-transformers reads its own files where there is a modules.json, and nowhere else
        let prompts = isSentenceFolder ? try SentencePrompts(folder) : nil
        (prompt, similarity) = (prompts?.prompt ?? "", prompts?.similarity)
        let settings = encoderFolder.appendingPathComponent("sentence_bert_config.json")
        if isSentenceFolder, try FileStatus.of(settings) != nil {
            let file = ConfigurationReader(try JSONValue(contentsOf: settings))
            let limit = try file.optionalCount("max_seq_length")
            maximumLength = limit.map { [context = encoder.shape.contextLength] in min($0, context) }
            lowercases = try file.flag("do_lower_case", or: false)
        } else {
            maximumLength = nil
            lowercases = false
        }
        if modules.isEmpty {
            pooling = [.mean]
            poolsPrompt = true
        } else {
            let url = try modules.removeFirst().expect("Pooling").appendingPathComponent("config.json")
            let file = ConfigurationReader(try JSONValue(contentsOf: url))
            pooling = try Pooling.modes(reading: file)
            poolsPrompt = try file.flag("include_prompt", or: true)
        }
        for module in modules {
            switch module.kind {
            case "Dense": steps.append(try Self.dense(module, inputs: width))
            case "Normalize": steps.append(.normalise)
            default: throw module.unsupported
            }
        }
    }

    private static func dense(_ module: SentenceModules.Module, inputs: Int) throws -> Step {
        let url = module.folder.appendingPathComponent("config.json")
        let file = ConfigurationReader(try JSONValue(contentsOf: url))
        guard try file.count("in_features") == inputs else {
            throw EncoderError.module(
                file: url.path, problem: "in_features is not \(inputs), what the module before it gives")
        }
        let projection = try Projection(
            try ModelFolder(module.folder).weights(), "linear", outputs: try file.count("out_features"), inputs: inputs,
            bias: try file.flag("bias", or: true))
        let activation = try file.optionalString("activation_function") ?? "torch.nn.modules.activation.Tanh"
        switch activation.split(separator: ".").last {
        case "Tanh": return .dense(projection, usesTanh: true)
        case "Identity": return .dense(projection, usesTanh: false)
        default:
            throw EncoderError.module(
                file: url.path, problem: "activation_function \(activation) is not known; Tanh and Identity are")
        }
    }

    /// The vectors of inputs, [N, width], in their order.
    /// - Parameter promptLength: how many tokens at the beginning of every input are the prompt's; they are left out of the pooling where
    ///   the folder says so (``poolsPrompt``).
    /// - Throws: ``EncoderError`` for an input that the encoder cannot read.
    public func embeddings(of inputs: [EncoderInput], promptLength: Int = 0) throws -> Tensor {
        let skipped = poolsPrompt ? 0 : promptLength
        let (hidden, pooled) = (encoder.shape.hiddenSize, pooledWidth)
        // filled by rows from several threads
        let vectors = Tensor.uninitialized([inputs.count, pooled]) { _ in }
        let out = vectors.mutablePointer
        try encoder.forEach(inputs) { index, states, rows in
            for (place, mode) in pooling.enumerated() {
                mode.apply(
                    states.pointer + rows.lowerBound * hidden, rows: rows.count, skipping: skipped, width: hidden,
                    into: out + index * pooled + place * hidden)
            }
        }
        return steps.reduce(vectors) { vectors, step in
            switch step {
            case .dense(let projection, let usesTanh):
                let result = projection(vectors, on: nil)
                return usesTanh ? result.tanh() : result
            case .normalise: return Self.normalised(vectors)
            }
        }
    }

    /// Every row divided by its norm, or by 1e-12 where that is larger.
    private static func normalised(_ vectors: Tensor) -> Tensor {
        let width = vectors.shape.width
        return Tensor.uninitialized(vectors.shape) { out in
            for row in 0..<vectors.shape.rows {
                let from = vectors.pointer + row * width
                var sum: Float = 0
                for c in 0..<width { sum += from[c] * from[c] }
                let divisor = max(sum.squareRoot(), 1e-12)
                for c in 0..<width { out[row * width + c] = from[c] / divisor }
            }
        }
    }
}
