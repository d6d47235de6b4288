import Data
public import Foundation
public import Models
import Tensor

/// A sentence encoder loaded from a local folder, with its tokenizer.
///
/// Vectors of texts encoded with the default prompt are cached, up to 256 MiB by default, since systems that choose among the
/// same answers, such as best-of-N for several N, share many texts.
public struct FolderSentenceEncoder: TextEncoder {
    /// The folder; followed by the prompt and the number of channels if they differ from the folder's defaults.
    public let name: String
    private let tokenizer: PipelineTokenizer
    private let encoder: SentenceEncoder
    private let prompt: SentencePrompt
    private let memory: VectorMemory
    /// The number of texts that the encoder has processed so far.
    package var encodedTexts: Int { memory.encoded }
    /// Remarks about the folder that users should see: contradictions between its tokenizer's files, a prompt before every
    /// text, a similarity other than the cosine.
    public let notes: [String]

    /// The number of channels of a vector.
    public var width: Int { encoder.width }
    /// The names of the prompts that the folder defines.
    public var promptNames: [String] { encoder.promptNames }

    /// Loads a folder in the layout of sentence-transformers, or a plain encoder, whose token states are averaged.
    ///
    /// - Parameters:
    ///   - folder: the folder with the model and its tokenizer.
    ///   - prompt: the prompt before every text, unless a call chooses another.
    ///   - dimension: the number of leading channels of a vector to keep; nil for the number that the folder specifies.
    ///   - rememberedBytes: the maximum size of the cached vectors in bytes; 0 disables the cache.
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, which name the file.
    public init(_ folder: URL, prompt: SentencePrompt = .standard, dimension: Int? = nil, rememberedBytes: Int = 1 << 28) throws {
        memory = VectorMemory(capacity: rememberedBytes)
        encoder = try SentenceEncoder.load(folder, dimension: dimension)
        self.prompt = prompt
        let read = try EncoderTokens.tokenizer(encoder.encoder, folder: encoder.encoderFolder)
        tokenizer = encoder.lowercases ? read.lowercasing() : read
        guard try encoder.isSentenceFolder || tokenizer.chatTemplate() == nil else {
            throw EncoderError.module(
                file: folder.path,
                problem: "the folder has a chat template but no modules.json, so sentence-transformers would apply the template, "
                    + "which is not supported; add a modules.json")
        }
        let text = try encoder.text(of: prompt)
        var name = folder.standardizedFileURL.path
        if prompt != .standard { name += ", prompt \"\(text)\"" }
        if let dimension { name += ", \(dimension) dimensions" }
        self.name = name
        var notes = tokenizer.notes.map { "\(folder.path): \($0)" }
        if !text.isEmpty {
            notes.append("texts are embedded with the \(prompt == .standard ? "default " : "")prompt of \(folder.path), \"\(text)\"")
        }
        if let similarity = encoder.similarity, similarity != "cosine" {
            notes.append("\(folder.path) is trained for the similarity \(similarity), but the metrics use the cosine")
        }
        self.notes = notes
    }

    /// One vector per text with the encoder's prompt; long texts are truncated to the encoder's maximum length.
    /// - Throws: `EncoderError` for a text that the model cannot process.
    public func embeddings(of texts: [String]) throws -> [[Float]?] {
        // vectors computed in bfloat16 differ from those in other precisions
        try memory.vectors(of: texts, under: "\(Compute.precision)") { try embeddings(of: $0, as: prompt) }
    }

    /// One vector per text with a given prompt, not cached; long texts are truncated to the encoder's maximum length.
    ///
    /// Encoders that distinguish questions from documents have a prompt for each: `SentencePrompt.query` and
    /// `SentencePrompt.document`.
    /// - Throws: `EncoderError` for a text that the model cannot process, or for a prompt that the folder does not define.
    public func embeddings(of texts: [String], as prompt: SentencePrompt) throws -> [[Float]] {
        let before = try encoder.text(of: prompt)
        let limit = self.limit(as: prompt)
        let inputs = Compute.map(texts.count) { EncoderInput(ids: tokenizer.encode(before + texts[$0], maximumLength: limit)) }
        let vectors = try encoder.embeddings(of: inputs, promptLength: tokens(ofPrompt: before))
        let width = encoder.width
        return vectors.withUnsafeBufferPointer { numbers in
            texts.indices.map { Array(numbers[$0 * width..<($0 + 1) * width]) }
        }
    }

    private func limit(as prompt: SentencePrompt) -> Int {
        encoder.maximumLength(as: prompt) ?? EncoderTokens.limit(tokenizer, encoder.encoder)
    }

    /// The number of a text's tokens that belong to the prompt, without the special token that the tokenizer appends to a text.
    private func tokens(ofPrompt prompt: String) -> Int {
        guard !prompt.isEmpty else { return 0 }
        let ids = tokenizer.encode(prompt, maximumLength: limit(as: .standard))
        return ids.count - (ids.last.map(tokenizer.isLeftOut) ?? false ? 1 : 0)
    }
}

extension PipelineTokenizer {
    /// Whether a token is a special token, which is omitted when text is decoded.
    fileprivate func isLeftOut(_ token: Int32) -> Bool {
        decode([token], skippingSpecialTokens: true).isEmpty && !decode([token], skippingSpecialTokens: false).isEmpty
    }
}

/// Helpers shared by sentence encoders and inference models.
enum EncoderTokens {
    /// The tokenizer of an encoder's folder, without added tokens that have no row in the encoder's embedding matrix.
    static func tokenizer(_ encoder: any Encoder, folder: URL) throws -> PipelineTokenizer {
        let read = try TokenizerFolder.loadPipeline(from: folder)
        let rows = encoder.shape.vocabularySize
        guard let tokenizer = read.limited(to: rows) else {
            throw ModelError.tooManyTokens(folder: folder.path, tokens: read.vocabularySize, rows: rows)
        }
        return tokenizer
    }

    /// The maximum number of tokens of a text: the tokenizer's limit or the encoder's number of positions, whichever is
    /// smaller.
    static func limit(_ tokenizer: PipelineTokenizer, _ encoder: any Encoder) -> Int {
        min(tokenizer.maximumLength ?? .max, encoder.shape.contextLength)
    }
}
