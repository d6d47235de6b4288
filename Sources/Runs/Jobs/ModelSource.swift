import Data
import Foundation
import Models
import Tensor

/// A model with the tokenizer that its folder holds.
struct LoadedModel {
    var model: LanguageModel
    var tokenizer: any Tokenizer
    var folder: URL

    /// Loads a model folder, or the result of the run in a run folder.
    static func load(_ path: String, from stages: [RunStage], note: (String) -> Void) throws -> LoadedModel {
        let folder = try RunFolder.modelFolder(at: URL(fileURLWithPath: path, isDirectory: true), expecting: stages)
        let tokenizer = try TokenizerFolder.load(from: folder)
        let model = try LanguageModel.load(folder, note: note)
        try model.checkTokens(tokenizer.vocabularySize, folder: folder)
        return LoadedModel(model: model, tokenizer: tokenizer, folder: folder)
    }

    /// The end-of-sequence token, without which nothing can be trained or sampled.
    func endOfSequence() throws -> Int32 {
        guard let end = tokenizer.endOfSequence else {
            throw CommandLineError.invalid("the tokenizer in \(folder.path) names no end-of-sequence token (eos_token)")
        }
        return end
    }
}

extension LanguageModel {
    /// Writes the model with its tokenizer.
    func save(to folder: URL, tokenizer: any Tokenizer) throws {
        try save(
            to: folder,
            tokens: SpecialTokens(begin: tokenizer.beginOfSequence, end: tokenizer.endOfSequence, padding: tokenizer.padding)
        ) { try tokenizer.save(to: $0) }
    }
}
