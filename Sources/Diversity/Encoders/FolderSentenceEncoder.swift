import Data
public import Foundation
import Models
import Tensor

/// A sentence encoder of a folder on this machine, with its tokenizer.
public struct FolderSentenceEncoder: TextEncoder {
    public let name: String
    /// What people should know of the files of the tokenizer, a line each.
    public var notes: [String] { tokenizer.notes }
    private let tokenizer: PipelineTokenizer
    private let encoder: SentenceEncoder
    private let limit: Int

    /// Loads a folder in the layout of sentence-transformers, or a plain BERT or RoBERTa, whose states are averaged.
    ///
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, naming the file.
    public init(_ folder: URL) throws {
        name = folder.standardizedFileURL.path
        encoder = try SentenceEncoder.load(folder)
        tokenizer = try EncoderTokens.tokenizer(encoder.encoder, folder: encoder.encoderFolder)
        limit = encoder.maximumLength ?? EncoderTokens.limit(tokenizer, encoder.encoder)
    }

    /// One vector for each text; long texts are cut to the encoder's length.
    /// - Throws: `EncoderError` for a text that the model cannot read.
    public func embeddings(of texts: [String]) throws -> [[Float]?] {
        let inputs = texts.map { text in
            EncoderInput(ids: tokenizer.encode(encoder.lowercases ? text.lowercased() : text, maximumLength: limit))
        }
        let vectors = try encoder.embeddings(of: inputs)
        let width = encoder.width
        return vectors.withUnsafeBufferPointer { numbers in
            texts.indices.map { Array(numbers[$0 * width..<($0 + 1) * width]) }
        }
    }
}

/// What sentence encoders and inference models share.
enum EncoderTokens {
    /// The tokenizer of an encoder's folder, without the added tokens that the encoder has no row for.
    static func tokenizer(_ encoder: BERT, folder: URL) throws -> PipelineTokenizer {
        let read = try TokenizerFolder.loadPipeline(from: folder)
        let rows = encoder.settings.vocabularySize
        guard let tokenizer = read.limited(to: rows) else {
            throw ModelError.tooManyTokens(folder: folder.path, tokens: read.vocabularySize, rows: rows)
        }
        return tokenizer
    }

    /// The most tokens of a text: what the tokenizer's files say, or what the encoder has positions for.
    static func limit(_ tokenizer: PipelineTokenizer, _ encoder: BERT) -> Int {
        min(tokenizer.maximumLength ?? .max, encoder.settings.contextLength)
    }
}
