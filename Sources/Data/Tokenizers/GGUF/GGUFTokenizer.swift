import Formats
import Foundation

/// Reads the tokenizer in the metadata of a GGUF file: `llama` (pieces with scores) and `gpt2` (byte-level BPE).
///
/// The pipeline is the one of the tokenizer.json that such a file is made of, so that the ids are the same, and what is saved is a
/// tokenizer.json like any other.
enum GGUFTokenizer {
    /// The tokenizer of a file.
    ///
    /// - Throws: `CheckpointError` if it is no GGUF file; `TokenizerError`, naming the key, if its tokenizer is unsound or not supported.
    static func read(_ url: URL) throws -> (files: TokenizerFiles, model: TokenModel) {
        let file = try GGUFFile(url)
        return try read(GGUFTokenizerMetadata(file.metadata, file: file.path))
    }

    /// The tokenizer that metadata describe.
    static func read(_ source: GGUFTokenizerMetadata) throws -> (files: TokenizerFiles, model: TokenModel) {
        switch source.model {
        case "llama": try GGUFPieces(source).tokenizer()
        case "gpt2": try GGUFByteLevel(source).tokenizer()
        case let name: throw source.unsupported(GGUFTokenizerMetadata.modelKey, name)
        }
    }

    /// The vocabulary, each token under its id.
    ///
    /// - Parameter spelling: How a token stands in a tokenizer.json, if otherwise than in the file.
    static func vocabulary(
        of source: GGUFTokenizerMetadata, spelling: (Int, ArraySlice<UInt8>) -> [UInt8]? = { _, _ in nil }
    ) throws -> TokenTable {
        var vocabulary = TokenTable(capacity: source.tokens.count)
        for (id, token) in source.tokens.enumerated() {
            let inserted = spelling(id, token).map { vocabulary.insert($0, id: Int32(id)) } ?? vocabulary.insert(token, id: Int32(id))
            if inserted { continue }
            let bytes = spelling(id, token) ?? Array(token)
            let first = vocabulary.id(of: bytes).map(String.init) ?? "another one"
            let text = OneLine.quoted(String(decoding: bytes, as: UTF8.self), limit: 40)
            throw source.fault(GGUFTokenizerMetadata.tokensKey, "token \(id) is \(text), as token \(first) is")
        }
        return vocabulary
    }

    /// tokenizer_config.json: the roles of tokens, what is put around texts, and the templates of chats.
    static func configuration(
        of source: GGUFTokenizerMetadata, roles: [TransformersSettings.Role: Int32], addsBegin: Bool, addsEnd: Bool
    ) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("add_bos_token", .bool(addsBegin && roles[.begin] != nil)),
            .init("add_eos_token", .bool(addsEnd && roles[.end] != nil)),
        ]
        for role in TransformersSettings.Role.allCases {
            if let id = roles[role] { members.append(.init(role.rawValue, .string(source.text(id)))) }
        }
        members.append(.init("clean_up_tokenization_spaces", false))
        if let template = template(of: source) { members.append(.init("chat_template", template)) }
        return .object(members)
    }

    private static func template(of source: GGUFTokenizerMetadata) -> JSONValue? {
        if source.namedTemplates.isEmpty { return source.chatTemplate.map { .string($0) } }
        var all = source.namedTemplates
        if let template = source.chatTemplate { all.insert(("default", template), at: 0) }
        return .array(all.map { ["name": .string($0.name), "template": .string($0.template)] })
    }

    /// The folder in memory from which the readers of vocabulary files put a pipeline together.
    static func folder(_ source: GGUFTokenizerMetadata, _ configuration: JSONValue) -> VocabularyFolder {
        VocabularyFolder(FolderContents(files: [:], path: source.file), name: source.file, configuration: configuration)
    }
}
