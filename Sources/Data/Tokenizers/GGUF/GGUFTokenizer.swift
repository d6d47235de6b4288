import Formats
import Foundation

/// Reads the tokenizer in the metadata of a GGUF file: `llama` (SentencePiece with scores) or `gpt2` (byte-level BPE).
///
/// The result has the pipeline of the `tokenizer.json` from which such a file is converted. It gives the same IDs and
/// can be saved as a `tokenizer.json`.
enum GGUFTokenizer {
    /// Reads the tokenizer of a file.
    ///
    /// - Throws: `CheckpointError` if the file is not a GGUF file; `TokenizerError`, naming the key, if the tokenizer
    ///   is invalid or not supported.
    static func read(_ url: URL) throws -> (files: TokenizerFiles, model: TokenModel) {
        let file = try GGUFFile(url)
        return try read(GGUFTokenizerMetadata(file.metadata, file: file.path))
    }

    /// Reads the tokenizer described by metadata.
    static func read(_ source: GGUFTokenizerMetadata) throws -> (files: TokenizerFiles, model: TokenModel) {
        switch source.model {
        case "llama": try GGUFPieces(source).tokenizer()
        case "gpt2": try GGUFByteLevel(source).tokenizer()
        case let name: throw source.unsupported(GGUFTokenizerMetadata.modelKey, name)
        }
    }

    /// The vocabulary.
    ///
    /// - Parameters:
    ///   - source: The metadata.
    ///   - spelling: The spelling of a token in a `tokenizer.json`, if it differs from that in the GGUF file.
    static func vocabulary(
        of source: GGUFTokenizerMetadata, spelling: (Int, ArraySlice<UInt8>) -> [UInt8]? = { _, _ in nil }
    ) throws -> TokenTable {
        var vocabulary = TokenTable(capacity: source.tokens.count)
        for (id, token) in source.tokens.enumerated() {
            let inserted = spelling(id, token).map { vocabulary.insert($0, id: Int32(id)) } ?? vocabulary.insert(token, id: Int32(id))
            if inserted { continue }
            let bytes = spelling(id, token) ?? Array(token)
            let first = vocabulary.id(of: bytes).map(String.init) ?? "other"
            let text = OneLine.quoted(String(decoding: bytes, as: UTF8.self), limit: 40)
            throw source.fault(GGUFTokenizerMetadata.tokensKey, "the tokens \(first) and \(id) are both \(text)")
        }
        return vocabulary
    }

    /// The `tokenizer_config.json`: the tokens with roles, whether texts start and end with special tokens, and the
    /// chat templates.
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

    /// The chat templates as in a `tokenizer_config.json`.
    private static func template(of source: GGUFTokenizerMetadata) -> JSONValue? {
        if source.namedTemplates.isEmpty { return source.chatTemplate.map { .string($0) } }
        var all = source.namedTemplates
        if let template = source.chatTemplate { all.insert(("default", template), at: 0) }
        return .array(all.map { ["name": .string($0.name), "template": .string($0.template)] })
    }

    /// A folder in memory, from which the pipeline is built.
    static func folder(_ source: GGUFTokenizerMetadata, _ configuration: JSONValue) -> VocabularyFolder {
        VocabularyFolder(FolderContents(files: [:], path: source.file), name: source.file, configuration: configuration)
    }
}
