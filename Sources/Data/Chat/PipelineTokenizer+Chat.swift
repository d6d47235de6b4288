import Formats

extension PipelineTokenizer {
    // MARK: Templates

    /// The chat template in the tokenizer's files: the one named `default` if there are several; nil if there is none.
    /// - Throws: `DataError.chat` if there are several and none is named `default`, or the template is invalid.
    public func chatTemplate() throws -> ChatTemplate? {
        let named = try chatTemplates()
        guard let template = named.first(where: { $0.name == "default" }) else {
            guard named.isEmpty else {
                throw DataError.chat(
                    "\(chatFile): several chat templates (\(named.map(\.name).sorted().joined(separator: ", "))), none named default; "
                        + "choose one with --chat-template FILE")
            }
            return nil
        }
        return try ChatTemplate(template.source, name: chatFile, variables: try chatVariables())
    }

    /// A template from `source`, with this tokenizer's special tokens as variables.
    /// - Throws: `DataError.chat` if the template is invalid.
    public func chatTemplate(_ source: String, name: String) throws -> ChatTemplate {
        try ChatTemplate(source, name: name, variables: try chatVariables())
    }

    /// A copy of this tokenizer that saves `template` as its only chat template, in `chat_template.jinja`.
    public func keeping(_ template: ChatTemplate) -> any Tokenizer {
        var copy = self
        copy.files.companions.removeAll { Self.isTemplate($0.name) }
        copy.files.companions.append(.init(name: "chat_template.jinja", bytes: Array(template.source.utf8)))
        copy.files.configuration["chat_template"] = nil
        copy.files.templateName = template.name
        return copy
    }

    /// Whether a file holds a chat template.
    private static func isTemplate(_ name: String) -> Bool {
        name == "chat_template.jinja" || name.hasPrefix(TokenizerFiles.templateFolder + "/")
    }

    /// The file that holds the templates, for error messages.
    private var chatFile: String {
        if let given = files.templateName { return given }
        let name = files.companions.contains { Self.isTemplate($0.name) } ? "chat_template.jinja" : "tokenizer_config.json: chat_template"
        guard let slash = files.pipelineName.lastIndex(of: "/") else { return name }
        return files.pipelineName[...slash] + name
    }

    /// All templates by name. Separate template files take precedence over the key `chat_template` in
    /// `tokenizer_config.json`, as in Transformers 5.
    func chatTemplates() throws -> [(name: String, source: String)] {
        var named: [(name: String, source: String)] = []
        for companion in files.companions where Self.isTemplate(companion.name) {
            let name =
                companion.name == "chat_template.jinja"
                ? "default" : String(companion.name.dropFirst(TokenizerFiles.templateFolder.count + 1).dropLast(6))
            guard let source = String(validating: companion.bytes, as: UTF8.self) else {
                throw DataError.chat("\(companion.name) is not valid UTF-8")
            }
            named.append((name, source))
        }
        if !named.isEmpty { return named }
        guard let value = files.configuration["chat_template"]?.unlessNull else { return [] }
        if let source = value.string { return [("default", source)] }
        let part = TokenizerPart(json: value, file: "tokenizer_config.json", path: "chat_template")
        if let members = value.members {
            return try members.map { ($0.key, try part.required($0.key).string()) }
        }
        return try part.elements().map { (try $0.required("name").string(), try $0.required("template").string()) }
    }

    /// The special tokens by role, including model-specific ones (`extra_special_tokens`).
    private func chatVariables() throws -> [String: String] {
        let settings = TransformersSettings(files)
        var variables: [String: String] = [:]
        for member in files.configuration.members ?? [] where member.key.hasSuffix("_token") {
            variables[member.key] = member.value.string ?? member.value["content"]?.string
        }
        for member in files.configuration["extra_special_tokens"]?.members ?? [] {
            variables[member.key] = member.value.string ?? member.value["content"]?.string
        }
        for role in TransformersSettings.Role.allCases { variables[role.rawValue] = try settings.token(role)?.content }
        return variables
    }

    // MARK: Tokens

    /// For each token, whether it overlaps one of the ranges of code points in `text`; nil if the tokens do not line up
    /// with the text.
    public func trainedTokens(of ids: [Int32], text: String, in spans: [Range<Int>]) -> [Bool]? {
        TokenOffsets(ids, of: text, by: self)?.mask(of: spans)
    }

    /// The text that a token stands for; nil if no token has this ID.
    func piece(of id: Int32) -> TokenPiece? {
        if let added = addedVocabulary[id] {
            let token = addedVocabulary.tokens.first { $0.id == id }
            return TokenPiece(bytes: added.bytes, stripsLeft: token?.stripsLeft ?? false, stripsRight: token?.stripsRight ?? false)
        }
        guard let token = model.vocabulary.bytes(of: id).map({ Array($0) }) else { return nil }
        if let spelling = byteSpelling(token) { return spelling }
        if let byte = ByteFallback.byte(token) { return TokenPiece(bytes: [byte]) }
        let bytes = ByteSearch.replacing(Array("\u{2581}".utf8), with: [UInt8(ascii: " ")], in: token)
        return TokenPiece(bytes: bytes, mayLackSpace: true)
    }

    /// The text of a token spelled in the byte-level alphabet; nil if tokens are not spelled in it.
    private func byteSpelling(_ token: [UInt8]) -> TokenPiece? {
        guard spellsBytes, let bytes = ByteAlphabet.decoded(token) else { return nil }
        let space = UInt8(ascii: " ")
        return TokenPiece(
            bytes: bytes, mayLackSpace: true, leadingSpaces: bytes.prefix { $0 == space }.count,
            trailingSpaces: bytes.reversed().prefix { $0 == space }.count)
    }

    /// Whether tokens are spelled in the byte-level alphabet.
    private var spellsBytes: Bool { preTokenizer?.spellsBytes ?? false || normalizer?.spellsBytes ?? false }

    /// How the post-processor trims the offsets of tokens; nil if it does not.
    var trimsOffsets: OffsetTrimming? { Self.trimming(files.pipeline["post_processor"]) }

    private static func trimming(_ part: JSONValue?) -> OffsetTrimming? {
        guard let part else { return nil }
        switch part["type"]?.string {
        case "ByteLevel", "RobertaProcessing":
            guard part["trim_offsets"]?.bool ?? true else { return nil }
            return OffsetTrimming(addsPrefixSpace: part["add_prefix_space"]?.bool ?? true)
        case "Sequence": return part["processors"]?.array?.lazy.compactMap { trimming($0) }.first
        default: return nil
        }
    }
}
