import Data
public import Foundation
public import Models
import Tensor

/// A sentence encoder of a folder on this machine, with its tokenizer.
///
/// The vectors of texts behind its own prompt are remembered, up to a quarter of a gibibyte: systems that choose among the same answers,
/// as best-of-N does for every N, share many texts.
public struct FolderSentenceEncoder: TextEncoder {
    /// The folder, with the prompt and the number of channels where they are not the folder's own.
    public let name: String
    private let tokenizer: PipelineTokenizer
    private let encoder: SentenceEncoder
    private let prompt: SentencePrompt
    private let memory: VectorMemory
    /// How many texts the encoder has read so far.
    package var encodedTexts: Int { memory.encoded }
    /// What a user should know of the folder: contradictions of its tokenizer's files, a prompt before every text, a similarity other than
    /// the cosine.
    public let notes: [String]

    /// The channels of a vector.
    public var width: Int { encoder.width }
    /// The names of the folder's prompts.
    public var promptNames: [String] { encoder.promptNames }

    /// Loads a folder in the layout of sentence-transformers, or that of an encoder alone, whose states are averaged.
    ///
    /// - Parameters:
    ///   - prompt: what is put before every text unless a call says otherwise.
    ///   - dimension: how many channels of a vector are kept, the first ones; nil for as many as the folder says.
    ///   - rememberedBytes: how much the vectors that are remembered may take; 0 for none.
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, naming the file.
    public init(_ folder: URL, prompt: SentencePrompt = .standard, dimension: Int? = nil, rememberedBytes: Int = 1 << 28) throws {
        memory = VectorMemory(capacity: rememberedBytes)
        encoder = try SentenceEncoder.load(folder, dimension: dimension)
        self.prompt = prompt
        let read = try EncoderTokens.tokenizer(encoder.encoder, folder: encoder.encoderFolder)
        tokenizer = encoder.lowercases ? read.lowercasing() : read
        guard try encoder.isSentenceFolder || tokenizer.chatTemplate() == nil else {
            throw EncoderError.module(
                file: folder.path,
                problem: "there is a chat template and no modules.json, so that sentence-transformers would put texts into the template, "
                    + "which is not done here; a modules.json says how texts become vectors")
        }
        let text = try encoder.text(of: prompt)
        var name = folder.standardizedFileURL.path
        if prompt != .standard { name += ", prompt \"\(text)\"" }
        if let dimension { name += ", \(dimension) channels" }
        self.name = name
        var notes = tokenizer.notes.map { "\(folder.path): \($0)" }
        if !text.isEmpty {
            notes.append("texts are embedded behind the \(prompt == .standard ? "default " : "")prompt of \(folder.path), \"\(text)\"")
        }
        if let similarity = encoder.similarity, similarity != "cosine" {
            notes.append("\(folder.path) is made for the similarity \(similarity); the metrics take the cosine")
        }
        self.notes = notes
    }

    /// One vector for each text behind the encoder's prompt; long texts are cut to the encoder's length.
    /// - Throws: `EncoderError` for a text that the model cannot read.
    public func embeddings(of texts: [String]) throws -> [[Float]?] {
        // vectors of bfloat16 are others
        try memory.vectors(of: texts, under: "\(Compute.precision)") { try embeddings(of: $0, as: prompt) }
    }

    /// One vector for each text behind a prompt; long texts are cut to the encoder's length.
    ///
    /// Encoders that tell questions from documents have a prompt for each: ``SentencePrompt/query`` and ``SentencePrompt/document``.
    /// - Throws: `EncoderError` for a text that the model cannot read, or a prompt that the folder does not have.
    public func embeddings(of texts: [String], as prompt: SentencePrompt) throws -> [[Float]] {
        let before = try encoder.text(of: prompt)
        let limit = self.limit(as: prompt)
        let inputs = texts.map { EncoderInput(ids: tokenizer.encode(before + $0, maximumLength: limit)) }
        let vectors = try encoder.embeddings(of: inputs, promptLength: tokens(ofPrompt: before))
        let width = encoder.width
        return vectors.withUnsafeBufferPointer { numbers in
            texts.indices.map { Array(numbers[$0 * width..<($0 + 1) * width]) }
        }
    }

    private func limit(as prompt: SentencePrompt) -> Int {
        encoder.maximumLength(as: prompt) ?? EncoderTokens.limit(tokenizer, encoder.encoder)
    }

    /// How many tokens of a text are the prompt's, without what the tokenizer puts behind a text.
    private func tokens(ofPrompt prompt: String) -> Int {
        guard !prompt.isEmpty else { return 0 }
        let ids = tokenizer.encode(prompt, maximumLength: limit(as: .standard))
        return ids.count - (ids.last.map(tokenizer.isLeftOut) ?? false ? 1 : 0)
    }
}

extension PipelineTokenizer {
    /// Whether a token is a special one, which decoded text leaves out.
    fileprivate func isLeftOut(_ token: Int32) -> Bool {
        decode([token], skippingSpecialTokens: true).isEmpty && !decode([token], skippingSpecialTokens: false).isEmpty
    }
}

/// What sentence encoders and inference models share.
enum EncoderTokens {
    /// The tokenizer of an encoder's folder, without the added tokens that the encoder has no row for.
    static func tokenizer(_ encoder: any Encoder, folder: URL) throws -> PipelineTokenizer {
        let read = try TokenizerFolder.loadPipeline(from: folder)
        let rows = encoder.shape.vocabularySize
        guard let tokenizer = read.limited(to: rows) else {
            throw ModelError.tooManyTokens(folder: folder.path, tokens: read.vocabularySize, rows: rows)
        }
        return tokenizer
    }

    /// The most tokens of a text: what the tokenizer's files say, or what the encoder has positions for.
    static func limit(_ tokenizer: PipelineTokenizer, _ encoder: any Encoder) -> Int {
        min(tokenizer.maximumLength ?? .max, encoder.shape.contextLength)
    }
}
