public import Data
public import Formats
public import Foundation
public import Models

/// A language model with the tokenizer of its folder: text in, text out.
///
///     let model = try TextModel.load(folder)
///     print(try model.generate("SUBREDDIT: r/tifu\nTITLE: …\nTL;DR:", maxNewTokens: 48).text)
public struct TextModel {
    /// The model.
    public var model: LanguageModel
    /// Turns text into the model's tokens and back.
    public var tokenizer: any Tokenizer

    /// A model and its tokenizer.
    public init(_ model: LanguageModel, tokenizer: any Tokenizer) {
        self.model = model
        self.tokenizer = tokenizer
    }

    /// Loads a folder as Transformers writes it: config.json, weights, and the tokenizer's files.
    /// - Parameters:
    ///   - base: where the base model of an adapter is; nil where adapter_config.json is to say so.
    ///   - usesTanh: whether the head, if there is one, has a tanh before its normalisation; nil for what the folder says.
    ///   - families: what the folder may hold.
    ///   - note: receives one line for everything that a user should know.
    /// - Throws: `CheckpointError`, `ModelError` or `TokenizerError`, naming the file and what is wrong with it.
    public static func load(
        _ folder: URL, base: URL? = nil, usesTanh: Bool? = nil, families: [ModelFamily] = ModelFamily.builtIn,
        note: (String) -> Void = { _ in }
    ) throws -> TextModel {
        let read = try TokenizerFolder.load(from: ModelFolder(folder).tokenizerFolder(base: base))
        let model = try LanguageModel.load(folder, base: base, usesTanh: usesTanh, families: families, note: note)
        return TextModel(model, tokenizer: try read.fitted(to: model.decoder, in: folder, note: note))
    }

    /// Writes a folder that ``load(_:base:usesTanh:families:note:)`` and Transformers read. Folders above it are made.
    /// - Parameters:
    ///   - elementType: how the weights are stored.
    ///   - shardLimit: the most bytes of tensors in one file.
    /// - Throws: `CheckpointError` or `FileError`; nothing of the folder is there then.
    public func save(to folder: URL, as elementType: ElementType = .float32, shardLimit: Int = 5_000_000_000) throws {
        try model.save(
            to: folder, tokens: SpecialTokens(of: tokenizer), as: elementType, shardLimit: shardLimit
        ) { try tokenizer.save(to: $0) }
    }

    /// Writes a GGUF file with the model and its tokenizer, which ``load(_:base:usesTanh:families:note:)`` and llama.cpp read.
    /// - Parameters:
    ///   - type: how matrices are stored.
    ///   - note: receives one line for everything that the file leaves out.
    /// - Throws: `ModelError.noGGUF` or `TokenizerError.unsupported` for what such a file cannot hold; `CheckpointError`; `FileError`.
    public func saveGGUF(
        to file: URL, as type: LanguageModel.GGUFType = .f32, note: (String) -> Void = { _ in }
    ) throws {
        let rows = model.decoder.shape.vocabularySize
        let metadata = try (tokenizer as? PipelineTokenizer)?.ggufMetadata(rows: rows, architecture: model.ggufArchitecture ?? "") ?? []
        try model.saveGGUF(to: file, tokens: SpecialTokens(of: tokenizer), as: type, tokenizer: metadata, note: note)
    }

    /// The tokens that end a response: those of generation_config.json, else of config.json, else the tokenizer's, as in Transformers.
    /// Nil where nothing names one.
    public var ends: EndTokens? {
        guard let end = tokenizer.endOfSequence else { return nil }
        let named = model.endTokens
        guard !named.isEmpty, named != [end] else { return EndTokens(closing: end) }
        return EndTokens(closing: end, ids: named, visible: Set(named.filter { !tokenizer.isSpecial($0) }))
    }
}

extension SpecialTokens {
    /// The special tokens that a tokenizer names.
    package init(of tokenizer: any Tokenizer) {
        self.init(begin: tokenizer.beginOfSequence, end: tokenizer.endOfSequence, padding: tokenizer.padding)
    }
}

extension Tokenizer {
    /// This tokenizer without the added tokens that a model has no row for; what is noteworthy about its files is noted.
    /// - Throws: `ModelError.tooManyTokens`.
    package func fitted(to decoder: any TransformerDecoder, in folder: URL, note: (String) -> Void) throws -> any Tokenizer {
        guard let fitted = fitted(to: decoder.shape.vocabularySize) else {
            throw ModelError.tooManyTokens(folder: folder.path, tokens: vocabularySize, rows: decoder.shape.vocabularySize)
        }
        for line in fitted.notes { note("\(folder.path): \(line)") }
        return fitted
    }

    /// Whether decoded text leaves a token out where it leaves out special ones.
    fileprivate func isSpecial(_ token: Int32) -> Bool {
        decode([token], skippingSpecialTokens: true).isEmpty && !decode([token], skippingSpecialTokens: false).isEmpty
    }
}
