import Data
public import Foundation
import Models
import Tensor

/// A sentence encoder of a folder on this machine, with its tokenizer.
public struct FolderSentenceEncoder: TextEncoder {
    public let name: String
    private let tokenizer: PipelineTokenizer
    private let encoder: SentenceEncoder
    private let limit: Int
    /// The tokens of the prompt at the beginning of every text, without what the tokenizer puts behind a text.
    private let promptLength: Int
    /// What a user should know of the folder: contradictions of its tokenizer's files, a prompt before every text, a similarity other than
    /// the cosine.
    public let notes: [String]

    /// Loads a folder in the layout of sentence-transformers, or a plain BERT or RoBERTa, whose states are averaged.
    ///
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, naming the file.
    public init(_ folder: URL) throws {
        name = folder.standardizedFileURL.path
        encoder = try SentenceEncoder.load(folder)
        tokenizer = try EncoderTokens.tokenizer(encoder.encoder, folder: encoder.encoderFolder)
        limit = encoder.maximumLength ?? EncoderTokens.limit(tokenizer, encoder.encoder)
        var notes = tokenizer.notes.map { "\(folder.path): \($0)" }
        if encoder.prompt.isEmpty {
            promptLength = 0
        } else {
            let ids = tokenizer.encode(encoder.lowercases ? encoder.prompt.lowercased() : encoder.prompt, maximumLength: limit)
            promptLength = ids.count - (ids.last.map(tokenizer.isLeftOut) ?? false ? 1 : 0)
            notes.append("texts are embedded behind the default prompt of \(folder.path), \"\(encoder.prompt)\"")
        }
        if let similarity = encoder.similarity, similarity != "cosine" {
            notes.append("\(folder.path) is made for the similarity \(similarity); the metrics take the cosine")
        }
        self.notes = notes
    }

    /// One vector for each text; long texts are cut to the encoder's length.
    /// - Throws: `EncoderError` for a text that the model cannot read.
    public func embeddings(of texts: [String]) throws -> [[Float]?] {
        let inputs = texts.map { text in
            let text = encoder.prompt + text
            return EncoderInput(ids: tokenizer.encode(encoder.lowercases ? text.lowercased() : text, maximumLength: limit))
        }
        let vectors = try encoder.embeddings(of: inputs, promptLength: promptLength)
        let width = encoder.width
        return vectors.withUnsafeBufferPointer { numbers in
            texts.indices.map { Array(numbers[$0 * width..<($0 + 1) * width]) }
        }
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
