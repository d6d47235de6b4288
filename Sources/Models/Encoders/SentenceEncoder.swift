internal import Formats
public import Foundation
public import Tensor

/// An encoder that computes one vector per text, as defined by a sentence-transformers folder.
///
/// `@unchecked Sendable`: the weights are only written when the encoder is created.
public struct SentenceEncoder: @unchecked Sendable {
    /// The encoder of the tokens.
    public let encoder: any Encoder
    /// How the states are pooled; the vectors of several modes are concatenated.
    public let pooling: [Pooling]
    /// The folder of the encoder and its tokenizer.
    public let encoderFolder: URL
    /// Whether the folder is a sentence-transformers folder (modules.json), and not only that of an encoder.
    public let isSentenceFolder: Bool
    /// Whether the tokens of a prompt are included in the pooling.
    public let poolsPrompt: Bool
    /// The number of dimensions of a vector. If it is smaller than the output of the modules, the first ones are kept.
    public let width: Int
    private let texts: SentenceTextSettings
    private let prompts: SentencePrompts
    private let steps: [SentenceStep]

    /// Whether texts are lowercased, except for special tokens.
    public var lowercases: Bool { texts.lowercases }
    /// The similarity function that the folder specifies for its vectors; nil if it specifies none.
    public var similarity: String? { prompts.similarity }
    /// The names of the folder's prompts, sorted.
    public var promptNames: [String] { prompts.prompts.keys.sorted() }

    /// Loads a sentence encoder from a folder with modules.json and the modules that it names. Without modules.json, the folder
    /// is loaded as a plain encoder with mean pooling; for a causal language model (`…ForCausalLM`), the last token's state is
    /// used.
    ///
    /// The modules must be Transformer and Pooling, followed by any number of Dense, LayerNorm, Normalize and Dropout.
    /// - Parameters:
    ///   - folder: the folder.
    ///   - families: the supported encoders.
    ///   - decoders: the supported decoders, which can be used as encoders; see ``DecoderEncoder``.
    ///   - dimension: the number of dimensions of a vector to keep, the first ones (Matryoshka embeddings). Default: as the
    ///     folder says, otherwise all.
    /// - Throws: ``EncoderError/module(file:problem:)`` for unsupported modules and settings;
    ///   ``EncoderError/dimension(_:width:folder:)`` for too many dimensions; `CheckpointError`, ``ModelError``.
    public static func load(
        _ folder: URL, families: [EncoderFamily] = EncoderFamily.builtIn, decoders: [ModelFamily] = ModelFamily.builtIn,
        dimension: Int? = nil
    ) throws -> SentenceEncoder { try SentenceEncoder(folder, families, decoders, dimension) }

    private init(_ folder: URL, _ families: [EncoderFamily], _ decoders: [ModelFamily], _ dimension: Int?) throws {
        var modules = try SentenceModules(folder).list
        isSentenceFolder = !modules.isEmpty
        // sentence-transformers reads its own files only if there is a modules.json
        prompts = try SentencePrompts(folder, isRead: isSentenceFolder)
        if isSentenceFolder {
            encoderFolder = try modules.removeFirst().expect("Transformer")
            texts = try SentenceTextSettings(encoderFolder)
            guard !modules.isEmpty else {
                let file = folder.appendingPathComponent("modules.json").path
                throw EncoderError.module(file: file, problem: "the module Pooling is missing; it combines token states into one vector")
            }
            let module = modules.removeFirst()
            _ = try module.expect("Pooling")
            (pooling, poolsPrompt) = try module.configuration { file in
                (try Pooling.modes(reading: file), try file.flag("include_prompt", or: true))
            }
        } else {
            encoderFolder = folder
            texts = SentenceTextSettings()
            pooling = [try Self.isCausal(folder) ? .last : .mean]
            poolsPrompt = true
        }
        for module in modules where !SentenceStep.kinds.contains(module.kind) { throw module.unsupported }
        encoder = try EncoderFolder.load(encoderFolder, families: families, decoders: decoders)
        var (steps, width): ([SentenceStep], Int) = ([], encoder.shape.hiddenSize * pooling.count)
        for module in modules {
            let step = try SentenceStep(module, inputs: width)
            width = step.width ?? width
            steps.append(step)
        }
        self.steps = steps
        if let dimension, !(1...width).contains(dimension) {
            throw EncoderError.dimension(dimension, width: width, folder: folder.path)
        }
        self.width = min(dimension ?? prompts.dimension ?? width, width)
    }

    /// Whether a plain folder contains a causal language model.
    private static func isCausal(_ folder: URL) throws -> Bool {
        let configuration = try ModelFolder(folder).configuration()
        let isLanguageModel = configuration["architectures"]?.array?.first?.string?.hasSuffix("ForCausalLM") ?? false
        return isLanguageModel && configuration["is_causal"]?.bool != false
    }

    /// The text of a prompt, which is prepended to every text; empty for none.
    /// - Throws: ``EncoderError/module(file:problem:)`` for a name that the folder does not have.
    public func text(of prompt: SentencePrompt) throws -> String { try prompts.text(of: prompt) }

    /// The maximum number of tokens of a text with a given prompt, including special tokens; nil if the folder leaves it to the
    /// tokenizer and the position embedding.
    public func maximumLength(as prompt: SentencePrompt = .standard) -> Int? {
        texts.maximumLength(as: prompt).map { min($0, encoder.shape.contextLength) }
    }

    /// Computes the vectors of inputs, in their order: [N, width].
    /// - Parameters:
    ///   - inputs: the tokens of each text.
    ///   - promptLength: the number of tokens at the beginning of every input that belong to the prompt; they are excluded from
    ///     the pooling unless ``poolsPrompt``.
    /// - Throws: ``EncoderError`` for an input that the encoder does not support.
    public func embeddings(of inputs: [EncoderInput], promptLength: Int = 0) throws -> Tensor {
        let skipped = poolsPrompt ? 0 : promptLength
        let hidden = encoder.shape.hiddenSize
        let pooled = hidden * pooling.count
        // rows are filled by several threads
        let vectors = Tensor.uninitialized([inputs.count, pooled]) { _ in }
        let out = vectors.mutablePointer
        try encoder.forEach(inputs) { index, states, rows in
            for (place, mode) in pooling.enumerated() {
                mode.apply(
                    states.pointer + rows.lowerBound * hidden, rows: rows.count, skipping: skipped, width: hidden,
                    into: out + index * pooled + place * hidden)
            }
        }
        // as in sentence-transformers, dimensions are cut off after normalisation
        let whole = steps.reduce(vectors) { vectors, step in step(vectors) }
        return whole.shape.width == width ? whole : whole.columns(0..<width)
    }
}
