internal import Formats
public import Foundation
public import Tensor

/// An encoder that gives one vector for each text, as a folder of sentence-transformers describes it.
///
/// Unchecked: the weights are written when the encoder is made and read from then on.
public struct SentenceEncoder: @unchecked Sendable {
    /// What reads the tokens.
    public let encoder: any Encoder
    /// What makes one vector of the states; several are put one behind the other.
    public let pooling: [Pooling]
    /// The folder of the encoder and its tokenizer.
    public let encoderFolder: URL
    /// Whether the folder says itself how vectors are made (modules.json), or is that of an encoder alone.
    public let isSentenceFolder: Bool
    /// Whether the prompt's tokens count in the pooling.
    public let poolsPrompt: Bool
    /// The channels of a vector, the first of those that the modules give.
    public let width: Int
    private let texts: SentenceTextSettings
    private let prompts: SentencePrompts
    private let steps: [SentenceStep]

    /// Whether texts get into lower case, special tokens in them aside.
    public var lowercases: Bool { texts.lowercases }
    /// The similarity that the folder names for its vectors; nil where it says nothing.
    public var similarity: String? { prompts.similarity }
    /// The names of the folder's prompts.
    public var promptNames: [String] { prompts.prompts.keys.sorted() }

    /// Loads a folder: modules.json with the folders that it names, or, where there is none, a plain encoder, whose states are averaged; of a
    /// language model (`…ForCausalLM`) the last one is taken.
    ///
    /// Modules may be a Transformer, a Pooling, then any of Dense, LayerNorm, Normalize and Dropout.
    /// - Parameters:
    ///   - families: the encoders that the folder may hold.
    ///   - decoders: the decoders that may stand in an encoder's place; see ``DecoderEncoder``.
    ///   - dimension: how many channels of a vector are kept, the first ones (Matryoshka); nil for as many as the folder says, else all.
    /// - Throws: ``EncoderError/module(file:problem:)`` for other modules and settings; ``CheckpointError``, ``ModelError``.
    public static func load(
        _ folder: URL, families: [EncoderFamily] = EncoderFamily.builtIn, decoders: [ModelFamily] = ModelFamily.builtIn,
        dimension: Int? = nil
    ) throws -> SentenceEncoder { try SentenceEncoder(folder, families, decoders, dimension) }

    private init(_ folder: URL, _ families: [EncoderFamily], _ decoders: [ModelFamily], _ dimension: Int?) throws {
        var modules = try SentenceModules(folder).list
        isSentenceFolder = !modules.isEmpty
        // sentence-transformers reads its own files where there is a modules.json, and nowhere else
        prompts = try SentencePrompts(folder, isRead: isSentenceFolder)
        if isSentenceFolder {
            encoderFolder = try modules.removeFirst().expect("Transformer")
            texts = try SentenceTextSettings(encoderFolder)
            guard !modules.isEmpty else {
                let file = folder.appendingPathComponent("modules.json").path
                throw EncoderError.module(file: file, problem: "there is no module Pooling, which makes one vector of a text")
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

    /// Whether a plain folder holds a language model that reads from left to right.
    private static func isCausal(_ folder: URL) throws -> Bool {
        let configuration = try ModelFolder(folder).configuration()
        let isLanguageModel = configuration["architectures"]?.array?.first?.string?.hasSuffix("ForCausalLM") ?? false
        return isLanguageModel && configuration["is_causal"]?.bool != false
    }

    /// The text that a prompt stands for, which is put before every text; empty for none.
    /// - Throws: ``EncoderError/module(file:problem:)`` for a name that the folder does not have.
    public func text(of prompt: SentencePrompt) throws -> String { try prompts.text(of: prompt) }

    /// The most tokens of a text behind a prompt, special ones included; nil if the folder leaves it to the tokenizer and the table of
    /// positions.
    public func maximumLength(as prompt: SentencePrompt = .standard) -> Int? {
        texts.maximumLength(as: prompt).map { min($0, encoder.shape.contextLength) }
    }

    /// The vectors of inputs, [N, width], in their order.
    /// - Parameter promptLength: how many tokens at the beginning of every input are the prompt's; they are left out of the pooling where
    ///   the folder says so (``poolsPrompt``).
    /// - Throws: ``EncoderError`` for an input that the encoder cannot read.
    public func embeddings(of inputs: [EncoderInput], promptLength: Int = 0) throws -> Tensor {
        let skipped = poolsPrompt ? 0 : promptLength
        let hidden = encoder.shape.hiddenSize
        let pooled = hidden * pooling.count
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
        // what is cut off has its part in norms, as in sentence-transformers
        let whole = steps.reduce(vectors) { vectors, step in step(vectors) }
        return whole.shape.width == width ? whole : whole.columns(0..<width)
    }
}
