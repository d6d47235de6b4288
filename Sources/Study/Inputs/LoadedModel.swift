package import Data
package import Foundation
package import Models
package import Runs
import Tensor
package import TextGeneration

/// A model with the tokenizer from the same folder.
package struct LoadedModel {
    /// The model.
    package var model: LanguageModel
    /// Its tokenizer.
    package var tokenizer: any Tokenizer
    /// The folder that both were read from.
    package var folder: URL

    /// Loads a model from a model folder, or from the folder of a finished run.
    /// - Parameters:
    ///   - base: the folder of the base model if `path` holds an adapter; nil uses the path in adapter_config.json.
    ///   - usesTanh: whether the value head, if there is one, applies a tanh; nil uses the value in config.json.
    ///   - families: the decoder families that the folder may hold.
    package static func load(
        _ path: String, from stages: [RunStage], base: URL? = nil, usesTanh: Bool? = nil, families: [ModelFamily] = ModelFamily.builtIn,
        note: (String) -> Void
    ) throws -> LoadedModel {
        let folder = try ModelName.folder(path, expecting: stages)
        let read = try ModelError.naming(folder.path) {
            try TextModel.load(folder, base: base, usesTanh: usesTanh, families: families, note: note)
        }
        if base != nil, read.model.decoder.adapter == nil { note("--adapter-base is ignored, because \(folder.path) is not an adapter") }
        return LoadedModel(model: read.model, tokenizer: read.tokenizer, folder: folder)
    }

    /// The model with its tokenizer, for generating text.
    package var text: TextModel { TextModel(model, tokenizer: tokenizer) }

    /// Loads the reference model for the KL divergence of this model's responses. It reads this model's tokens, so it needs an
    /// embedding row for each of them.
    /// - Throws: `InvalidSetting` when the tokenizers differ.
    func loadReference(
        _ path: String, base: URL? = nil, families: [ModelFamily] = ModelFamily.builtIn, note: (String) -> Void
    ) throws -> any TransformerDecoder {
        let loaded = try Self.load(path, from: RunStage.languageModels, base: base, families: families, note: note)
        guard loaded.tokenizer.seemsEqual(to: tokenizer) else {
            throw InvalidSetting(
                "the tokenizer in \(loaded.folder.path) differs from that of \(folder.path), so no KL can be measured; "
                    + "use the model that this one was trained from")
        }
        try loaded.model.decoder.checkTokens(tokenizer.vocabularySize, folder: loaded.folder)
        return loaded.model.decoder
    }

    /// The end-of-sequence token, which training and sampling need.
    /// - Throws: `InvalidSetting` when the tokenizer has none.
    func endOfSequence() throws -> Int32 {
        guard let end = tokenizer.endOfSequence else {
            throw InvalidSetting("the tokenizer in \(folder.path) has no end-of-sequence token (eos_token)")
        }
        return end
    }

    /// The tokens that end a response: from generation_config.json, otherwise from config.json, otherwise from the tokenizer, as
    /// in Transformers.
    func ends(note: (String) -> Void) throws -> EndTokens {
        let end = try endOfSequence()
        let ends = TextModel(model, tokenizer: tokenizer).ends ?? EndTokens(closing: end)
        guard ends.ids != [end] else { return ends }
        let named = ends.ids
        let list = named.map { "\($0) (\(tokenizer.decode([$0], skippingSpecialTokens: false)))" }.joined(separator: ", ")
        note(
            "responses end with token \(list), as the model's files specify"
                + (named.contains(end) ? "" : "; the tokenizer's end-of-sequence token, \(end), is not one of them"))
        return ends
    }
}

extension Tokenizer {
    /// Whether two tokenizers have the same vocabulary size and encode a sample text identically, which is taken to mean that
    /// their token IDs agree.
    func seemsEqual(to other: any Tokenizer) -> Bool {
        let sample = "SUBREDDIT: r/tifu\nTITLE: One, two\nPOST: three (four) éß 5\nTL;DR: six"
        return vocabularySize == other.vocabularySize
            && encodeOpening(sample) == other.encodeOpening(sample)
    }
}

extension LanguageModel {
    /// Saves the model with its tokenizer.
    /// - Parameter saving: how a finished model is stored; nil for a checkpoint, where trained weights are stored in float32 and frozen
    ///   matrices as they are.
    func save(to folder: URL, tokenizer: any Tokenizer, as saving: SavingSettings? = nil) throws {
        try save(
            to: folder, tokens: SpecialTokens(of: tokenizer), as: saving?.elementType ?? .float32, keepingFrozen: saving == nil,
            shardLimit: saving?.shardLimit ?? 5_000_000_000
        ) {
            try tokenizer.save(to: $0)
            try saving?.writeGGUF(self, tokenizer: tokenizer, to: $0)
        }
    }

    /// Saves the model as a sequence classifier, with its tokenizer.
    func saveClassifier(
        to folder: URL, tokenizer: any Tokenizer, as saving: SavingSettings, note: (String) -> Void
    ) throws {
        try saveClassifier(
            to: folder, tokens: SpecialTokens(of: tokenizer), as: saving.elementType, shardLimit: saving.shardLimit,
            note: note
        ) { try tokenizer.save(to: $0) }
    }
}
