package import Formats
public import Foundation

/// Reads a tokenizer from the files in a folder, or from a GGUF file.
public enum TokenizerFolder {
    /// The tokenizer of a folder, or of a GGUF file.
    ///
    /// It is read from `tokenizer.json`, else from `tokenizer.model` (SentencePiece; also `spiece.model`, `spm.model` and
    /// `sentencepiece.bpe.model`), else from `vocab.json` with `merges.txt` (byte-level BPE), else from `vocab.txt` (BERT), else from the metadata
    /// of the folder's `.gguf` file. `tokenizer_config.json` and `special_tokens_map.json` are read where present, and `added_tokens.json` beside
    /// a vocabulary file. Where they contradict each other, what Transformers 5 makes of them counts; the tokenizer's `notes` name each
    /// contradiction.
    ///
    /// - Parameter folder: A folder, or a `.gguf` file; of one in several parts any, or the folder of them all.
    /// - Throws: `TokenizerError`, naming the file and what is wrong with it or what it asks for that is not supported; `CheckpointError` for
    ///   a file that is no sound GGUF file.
    public static func load(from folder: URL) throws -> any Tokenizer {
        try loadPipeline(from: folder)
    }

    /// The tokenizer of an encoder's folder, which cuts texts to a length and puts pairs of texts together.
    ///
    /// - Throws: as ``load(from:)``.
    public static func loadPipeline(from folder: URL) throws -> PipelineTokenizer {
        if let file = GGUFPlace.file(at: folder) { return try load(gguf: file) }
        do {
            return try load(FolderContents(folder))
        } catch let error as TokenizerError {
            guard case .noTokenizer = error, let file = try GGUFPlace.file(in: folder) else { throw error }
            return try load(gguf: file)
        }
    }

    /// The tokenizer that the metadata of a GGUF file describe.
    ///
    /// - Parameter path: What to call the file in errors.
    package static func load(metadata: [String: GGUFValue], path: String) throws -> any Tokenizer {
        let part = try GGUFTokenizer.read(GGUFTokenizerMetadata(metadata, file: path))
        return try PipelineTokenizer(files: part.files, model: part.model)
    }

    private static func load(gguf file: URL) throws -> PipelineTokenizer {
        let part = try GGUFTokenizer.read(file)
        return try PipelineTokenizer(files: part.files, model: part.model)
    }

    /// The tokenizer of a folder that is held in memory.
    ///
    /// - Parameters:
    ///   - files: The contents of the files, by name.
    ///   - path: What to call the folder in errors.
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
        // a config.json that is broken is for those to name who read the model
        let configuration = try folder.bytes("config.json").flatMap { try? JSONValue(tokenizerFile: $0, named: "config.json") }
        let kind = try TransformersClass.reading(
            TransformersSettings(files), model: configuration ?? .null, pipeline: pipeline)
        if let kind {
            try ClassPipeline.apply(kind, to: &files, model: &model)
        } else if try TransformersClass.reading(TransformersSettings(files), model: .null, pipeline: pipeline) != nil {
            // only the type of the model keeps the class from putting together another pipeline: say so where it may be missing
            files.configuration = files.configuration.setting("tokenizer_class", to: "PreTrainedTokenizerFast")
        }
        return (files, model)
    }
}

/// The files in a tokenizer's folder.
struct FolderContents {
    /// The folder, for errors.
    let path: String
    private let read: (String) throws -> [UInt8]?
    /// The names in a folder within this one; none where there is no such folder.
    private let names: (String) -> [String]

    /// The most bytes of a file: eight times the largest known tokenizer.json.
    private static let sizeLimit = 256 << 20

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

    init(files: [String: [UInt8]], path: String) {
        self.path = path
        read = { files[$0] }
        names = { name in files.keys.filter { $0.hasPrefix(name + "/") }.map { String($0.dropFirst(name.utf8.count + 1)) } }
    }

    func path(_ name: String) -> String {
        path.hasSuffix("/") ? path + name : path + "/" + name
    }

    /// The bytes of a file; `nil` if there is none.
    func bytes(_ name: String) throws -> [UInt8]? {
        try read(name)
    }

    /// A file's object; `nil` if there is no file.
    func json(_ name: String) throws -> JSONValue? {
        guard let bytes = try bytes(name) else { return nil }
        let json = try JSONValue(tokenizerFile: bytes, named: path(name))
        guard json.members != nil else {
            throw TokenizerError.malformed(
                file: path(name), line: nil, reason: "expected an object, found \(json.kind)")
        }
        return json
    }

    /// The files that are carried along.
    func companions() throws -> [TokenizerFiles.Companion] {
        let templates = names(TokenizerFiles.templateFolder).filter { $0.hasSuffix(".jinja") }.sorted()
        return try (TokenizerFiles.companionNames + templates.map { TokenizerFiles.templateFolder + "/" + $0 }).compactMap { name in
            try bytes(name).map { TokenizerFiles.Companion(name: name, bytes: $0) }
        }
    }
}
