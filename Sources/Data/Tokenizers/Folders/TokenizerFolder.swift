package import Formats
public import Foundation

/// Reads a tokenizer from the files in a folder, or from a GGUF file.
public enum TokenizerFolder {
    /// Reads the tokenizer in a folder or in a GGUF file.
    ///
    /// The first of these files in the folder is used: `tokenizer.json`; `tokenizer.model`, `spiece.model`, `spm.model`
    /// or `sentencepiece.bpe.model` (SentencePiece); `vocab.json` with `merges.txt` (byte-level BPE); `vocab.txt`
    /// (BERT); a `.gguf` file (its metadata). `tokenizer_config.json` and `special_tokens_map.json` are read if
    /// present, and `added_tokens.json` with a vocabulary file. Contradictions between files are resolved as in
    /// Transformers 5; the tokenizer's `notes` list them.
    ///
    /// - Parameter folder: A folder or a `.gguf` file. For a model in several GGUF files: any of them, or their folder.
    /// - Throws: `TokenizerError` with the file and what is invalid or not supported; `CheckpointError` for an invalid
    ///   GGUF file.
    public static func load(from folder: URL) throws -> any Tokenizer {
        try loadPipeline(from: folder)
    }

    /// Reads a tokenizer as ``PipelineTokenizer``, which can also truncate texts and encode pairs of texts, for
    /// encoders.
    ///
    /// - Throws: As ``load(from:)``.
    public static func loadPipeline(from folder: URL) throws -> PipelineTokenizer {
        if let file = GGUFPlace.file(at: folder) { return try load(gguf: file) }
        do {
            return try load(FolderContents(folder))
        } catch let error as TokenizerError {
            guard case .noTokenizer = error, let file = try GGUFPlace.file(in: folder) else { throw error }
            return try load(gguf: file)
        }
    }

    /// Reads the tokenizer in the metadata of a GGUF file.
    ///
    /// - Parameters:
    ///   - metadata: The metadata by key.
    ///   - path: The name of the file in errors.
    /// - Throws: `TokenizerError`.
    package static func load(metadata: [String: GGUFValue], path: String) throws -> any Tokenizer {
        let part = try GGUFTokenizer.read(GGUFTokenizerMetadata(metadata, file: path))
        return try PipelineTokenizer(files: part.files, model: part.model)
    }

    private static func load(gguf file: URL) throws -> PipelineTokenizer {
        let part = try GGUFTokenizer.read(file)
        return try PipelineTokenizer(files: part.files, model: part.model)
    }

    /// Reads the tokenizer of a folder that is held in memory.
    ///
    /// - Parameters:
    ///   - files: The contents of the files, by name.
    ///   - path: The name of the folder in errors.
    /// - Throws: As ``load(from:)``.
    package static func load(files: [String: [UInt8]], path: String) throws -> any Tokenizer {
        try load(FolderContents(files: files, path: path))
    }

    private static func load(_ folder: FolderContents) throws -> PipelineTokenizer {
        let part: (files: TokenizerFiles, model: TokenModel)
        if let pipeline = try folder.json("tokenizer.json") {
            part = try read(pipeline, in: folder)
        } else if let (name, bytes) = try SentencePieceFiles.file(in: folder) {
            part = try SentencePieceFiles.read(bytes, named: name, in: folder)
        } else if let vocabulary = try folder.json("vocab.json") {
            part = try ByteLevelFiles.read(vocabulary, in: folder)
        } else if let bytes = try folder.bytes("vocab.txt") {
            part = try BertFiles.read(bytes, in: folder)
        } else {
            throw TokenizerError.noTokenizer(folder: folder.path)
        }
        return try PipelineTokenizer(files: part.files, model: part.model)
    }

    /// Reads a `tokenizer.json`, and applies the tokenizer class that the settings name.
    private static func read(
        _ pipeline: JSONValue, in folder: FolderContents
    ) throws -> (files: TokenizerFiles, model: TokenModel) {
        let name = folder.path("tokenizer.json")
        let part = try TokenizerPart(json: pipeline, file: name, path: "").required("model")
        var model = try TokenModel(part)
        var files = TokenizerFiles(
            pipeline: pipeline.setting("model", to: part.json.removing(["vocab", "merges"])), pipelineName: name,
            configuration: try folder.json("tokenizer_config.json") ?? .object([]),
            specialTokensMap: try folder.json("special_tokens_map.json") ?? .object([]),
            companions: try folder.companions())
        // an invalid config.json is reported when the model is loaded, not here
        let configuration = try folder.bytes("config.json").flatMap { try? JSONValue(tokenizerFile: $0, named: "config.json") }
        let kind = try TransformersClass.reading(
            TransformersSettings(files), model: configuration ?? .null, pipeline: pipeline)
        if let kind {
            try ClassPipeline.apply(kind, to: &files, model: &model)
        } else if try TransformersClass.reading(TransformersSettings(files), model: .null, pipeline: pipeline) != nil {
            // only the model type prevents the class from building another pipeline; record that for folders without a
            // config.json
            files.configuration = files.configuration.setting("tokenizer_class", to: "PreTrainedTokenizerFast")
        }
        return (files, model)
    }
}

/// The files in a tokenizer's folder, on disk or in memory.
struct FolderContents {
    /// The path of the folder, for errors.
    let path: String
    private let read: (String) throws -> [UInt8]?
    /// The names of the files in a subfolder; empty if there is no such folder.
    private let names: (String) -> [String]

    /// The maximum size of a file: eight times that of the largest known `tokenizer.json`.
    private static let sizeLimit = 256 << 20

    /// Creates a view of a folder on disk.
    init(_ folder: URL) {
        path = folder.path
        names = { (try? Folder.names(in: folder.appendingPathComponent($0).path)) ?? [] }
        read = { name in
            let file = folder.appendingPathComponent(name)
            do {
                return try Descriptor.content(of: file.path, limit: Self.sizeLimit)
            } catch FileError.missing {
                return nil
            } catch FileError.damaged(_, let problem) {
                throw TokenizerError.malformed(file: file.path, line: nil, reason: problem)
            } catch FileError.unreadable(_, let reason) {
                throw TokenizerError.unreadable(file: file.path, reason: reason.description)
            } catch FileError.notAFile(_, let kind) {
                throw TokenizerError.unreadable(file: file.path, reason: "it is \(kind), not a file")
            }
        }
    }

    /// Creates a view of files in memory, by name.
    init(files: [String: [UInt8]], path: String) {
        self.path = path
        read = { files[$0] }
        names = { name in files.keys.filter { $0.hasPrefix(name + "/") }.map { String($0.dropFirst(name.utf8.count + 1)) } }
    }

    /// The path of a file, for errors.
    func path(_ name: String) -> String {
        path.hasSuffix("/") ? path + name : path + "/" + name
    }

    /// The contents of a file; `nil` if it does not exist.
    func bytes(_ name: String) throws -> [UInt8]? {
        try read(name)
    }

    /// The JSON object in a file; `nil` if the file does not exist.
    func json(_ name: String) throws -> JSONValue? {
        guard let bytes = try bytes(name) else { return nil }
        let json = try JSONValue(tokenizerFile: bytes, named: path(name))
        guard json.members != nil else {
            throw TokenizerError.malformed(
                file: path(name), line: nil, reason: "expected an object, found \(json.kind)")
        }
        return json
    }

    /// The files that are copied when the tokenizer is saved.
    func companions() throws -> [TokenizerFiles.Companion] {
        let templates = names(TokenizerFiles.templateFolder).filter { $0.hasSuffix(".jinja") }.sorted()
        return try (TokenizerFiles.companionNames + templates.map { TokenizerFiles.templateFolder + "/" + $0 }).compactMap { name in
            try bytes(name).map { TokenizerFiles.Companion(name: name, bytes: $0) }
        }
    }
}
