public import Foundation

/// Reads a tokenizer from the files in a folder.
public enum TokenizerFolder {
    /// The tokenizer of a folder with a `tokenizer.json`.
    ///
    /// `tokenizer_config.json` and `special_tokens_map.json` are read where present.
    /// - Throws: `TokenizerError`, naming the file and what is wrong with it or what it asks for that is not supported.
    public static func load(from folder: URL) throws -> any Tokenizer {
        let configuration = try json("tokenizer_config.json", in: folder)
        let specialTokensMap = try json("special_tokens_map.json", in: folder)
        if let pipeline = try json("tokenizer.json", in: folder) {
            let name = folder.appendingPathComponent("tokenizer.json").path
            let part = TokenizerPart(json: pipeline, file: name, path: "")
            let model = try TokenModel(part.required("model"))
            let files = TokenizerFiles(
                pipeline: try pipeline.setting("model", to: part.required("model").json.removing(["vocab", "merges"])),
                pipelineName: name, configuration: configuration ?? .object([]),
                specialTokensMap: specialTokensMap ?? .object([]))
            return try PipelineTokenizer(files: files, model: model)
        }
        throw TokenizerError.noTokenizer(folder: folder.path)
    }

    /// The bytes of a file; `nil` if there is none.
    static func bytes(_ name: String, in folder: URL) throws -> [UInt8]? {
        let url = folder.appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        do {
            return [UInt8](try Foundation.Data(contentsOf: url))
        } catch {
            throw TokenizerError.unreadable(file: url.path, reason: error.localizedDescription)
        }
    }

    private static func json(_ name: String, in folder: URL) throws -> OrderedJSON? {
        try bytes(name, in: folder).map {
            try OrderedJSON(parsing: $0, file: folder.appendingPathComponent(name).path)
        }
    }
}
