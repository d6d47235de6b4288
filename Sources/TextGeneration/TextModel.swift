public import Data
public import Formats
public import Foundation
public import Models

/// A language model together with its tokenizer, for text input and output.
///
///     let model = try TextModel.load(folder)
///     print(try model.generate("SUBREDDIT: r/tifu\nTITLE: …\nTL;DR:", maxNewTokens: 48).text)
public struct TextModel {
    /// The model.
    public var model: LanguageModel
    /// The tokenizer of the model.
    public var tokenizer: any Tokenizer

    /// Creates a text model from a model and its tokenizer.
    public init(_ model: LanguageModel, tokenizer: any Tokenizer) {
        self.model = model
        self.tokenizer = tokenizer
    }

    /// Loads a model folder in the format of Transformers: config.json, weights and the tokenizer's files.
    /// - Parameters:
    ///   - folder: the model folder or GGUF file.
    ///   - base: the folder of an adapter's base model. Default: the one that adapter_config.json names.
    ///   - usesTanh: whether the value head has a tanh before its normalisation. Default: as config.json says.
    ///   - families: the supported model families.
    ///   - keepsPacking: whether products in bf16 precision keep packed copies of the matrices that a GGUF file holds in Q8_0
    ///     blocks: 2 bytes more per element, and faster decoding with the same results. Default: false, so that every product packs
    ///     them again.
    ///   - note: receives one line for everything that the user should know.
    /// - Throws: `CheckpointError`, `ModelError` or `TokenizerError`, which name the file and what is wrong with it.
    public static func load(
        _ folder: URL, base: URL? = nil, usesTanh: Bool? = nil, families: [ModelFamily] = ModelFamily.builtIn,
        keepsPacking: Bool = false, note: (String) -> Void = { _ in }
    ) throws -> TextModel {
        let read = try TokenizerFolder.load(from: ModelFolder(folder).tokenizerFolder(base: base))
        let model = try LanguageModel.load(
            folder, base: base, usesTanh: usesTanh, families: families, keepsPacking: keepsPacking, note: note)
        return TextModel(model, tokenizer: try read.fitted(to: model.decoder, in: folder, note: note))
    }

    /// Writes a model folder that ``load(_:base:usesTanh:families:keepsPacking:note:)`` and Transformers can read.
    /// Missing parent folders are created.
    /// - Parameters:
    ///   - folder: the folder to create.
    ///   - elementType: the format of the weights: F32, BF16 or F16.
    ///   - shardLimit: the maximum number of bytes of tensors in one file.
    /// - Throws: `CheckpointError` or `FileError`; a new folder does not exist then.
    public func save(to folder: URL, as elementType: ElementType = .float32, shardLimit: Int = 5_000_000_000) throws {
        try model.save(
            to: folder, tokens: SpecialTokens(of: tokenizer), as: elementType, shardLimit: shardLimit
        ) { try tokenizer.save(to: $0) }
    }

    /// Writes a GGUF file with the model and its tokenizer, which ``load(_:base:usesTanh:families:keepsPacking:note:)`` and
    /// llama.cpp can read.
    /// - Parameters:
    ///   - file: the file to write.
    ///   - type: the format of matrices.
    ///   - note: receives one line for everything that is omitted from the file.
    /// - Throws: `ModelError.noGGUF` or `TokenizerError.unsupported` for what the format does not support; `CheckpointError`;
    ///   `FileError`.
    public func saveGGUF(
        to file: URL, as type: LanguageModel.GGUFType = .f32, note: (String) -> Void = { _ in }
    ) throws {
        let rows = model.decoder.shape.vocabularySize
        let metadata = try (tokenizer as? PipelineTokenizer)?.ggufMetadata(rows: rows, architecture: model.ggufArchitecture ?? "") ?? []
        try model.saveGGUF(to: file, tokens: SpecialTokens(of: tokenizer), as: type, tokenizer: metadata, note: note)
    }

    /// The tokens that end a response, as in Transformers: those of generation_config.json, otherwise of config.json, otherwise
    /// the tokenizer's end-of-sequence token. Nil if none of them names a token.
    public var ends: EndTokens? {
        let (end, named) = (tokenizer.endOfSequence, model.endTokens)
        guard !named.isEmpty, named != [end] else { return end.map { EndTokens(closing: $0) } }
        return EndTokens(closing: end, ids: named, visible: Set(named.filter { !tokenizer.isSpecial($0) }))
    }
}

extension SpecialTokens {
    /// Creates the special tokens of a tokenizer.
    package init(of tokenizer: any Tokenizer) {
        self.init(begin: tokenizer.beginOfSequence, end: tokenizer.endOfSequence, padding: tokenizer.padding)
    }
}

extension Tokenizer {
    /// This tokenizer without added tokens that have no row in the model's embedding. Remarks about its files are passed to
    /// `note`.
    /// - Throws: `ModelError.tooManyTokens` if other tokens have no row.
    package func fitted(to decoder: any TransformerDecoder, in folder: URL, note: (String) -> Void) throws -> any Tokenizer {
        guard let fitted = fitted(to: decoder.shape.vocabularySize) else {
            throw ModelError.tooManyTokens(folder: folder.path, tokens: vocabularySize, rows: decoder.shape.vocabularySize)
        }
        for line in fitted.notes { note("\(folder.path): \(line)") }
        return fitted
    }

    /// Whether decoding skips a token as a special token.
    fileprivate func isSpecial(_ token: Int32) -> Bool {
        decode([token], skippingSpecialTokens: true).isEmpty && !decode([token], skippingSpecialTokens: false).isEmpty
    }
}
