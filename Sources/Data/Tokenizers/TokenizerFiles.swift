import Foundation

/// The contents of the files a tokenizer is saved as.
struct TokenizerFiles: Sendable {
    /// tokenizer.json, without the vocabulary and the merges of its model.
    var pipeline: OrderedJSON
    /// The name of the file the pipeline was read from, for errors.
    var pipelineName: String
    /// tokenizer_config.json.
    var configuration: OrderedJSON
    /// special_tokens_map.json.
    var specialTokensMap: OrderedJSON

    /// The text of a special token such as `bos_token`: from tokenizer_config.json, else from special_tokens_map.json.
    ///
    /// A key that is absent or null names no token. Nothing else does: no token is assumed.
    func specialToken(_ key: String) throws -> String? {
        for (json, file) in [(configuration, "tokenizer_config.json"), (specialTokensMap, "special_tokens_map.json")] {
            guard let part = TokenizerPart(json: json, file: file, path: "")[key] else { continue }
            return try part.json.string ?? part.required("content").string()
        }
        return nil
    }

    /// The `added_tokens` of the pipeline.
    ///
    /// - Throws: if a token's id contradicts the vocabulary, or is another token's.
    func addedTokens(beside vocabulary: TokenTable) throws -> [AddedToken] {
        let root = TokenizerPart(json: pipeline, file: pipelineName, path: "")
        guard let list = root["added_tokens"] else { return [] }
        return try list.elements().map { part in
            let token = AddedToken(
                id: try part.required("id").tokenID(),
                content: try part.required("content").string(),
                isSingleWord: try part.flag("single_word", default: false),
                stripsLeft: try part.flag("lstrip", default: false),
                stripsRight: try part.flag("rstrip", default: false),
                isNormalized: try part.flag("normalized", default: true),
                isSpecial: try part.flag("special", default: false))
            if let id = vocabulary.id(of: token.content) {
                if id != token.id {
                    throw part.fault("\"\(token.content)\" has id \(token.id) here and \(id) in the vocabulary")
                }
            } else if let other = vocabulary.bytes(of: token.id) {
                let other = String(decoding: other, as: UTF8.self)
                throw part.fault("\"\(token.content)\" has the id \(token.id) of \"\(other)\"")
            }
            return token
        }
    }

    /// Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json, each in one step.
    func write(to folder: URL, model: TokenModel) throws {
        var json = pipeline["model"] ?? .object([])
        json = json.setting("vocab", to: model.vocabularyJSON)
        if case .bpe(let model) = model { json = json.setting("merges", to: model.mergesJSON) }
        let contents = [
            ("tokenizer.json", pipeline.setting("model", to: json)),
            ("tokenizer_config.json", configuration),
            ("special_tokens_map.json", specialTokensMap),
        ]
        for (name, json) in contents {
            let url = folder.appendingPathComponent(name)
            do {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Foundation.Data(json.serialised()).write(to: url, options: .atomic)
            } catch {
                throw TokenizerError.unwritable(file: url.path, reason: error.localizedDescription)
            }
        }
    }
}
