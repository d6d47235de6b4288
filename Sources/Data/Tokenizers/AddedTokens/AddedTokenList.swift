/// The added tokens that a tokenizer's files name, each with an id that belongs to it alone.
struct AddedTokenList {
    private(set) var tokens: [AddedToken] = []
    private var ids: [[UInt8]: Int32] = [:]
    private var contents: [Int32: String] = [:]
    private let vocabulary: TokenTable

    init(beside vocabulary: TokenTable) {
        self.vocabulary = vocabulary
    }

    /// The tokens of `added_tokens` in tokenizer.json, then those that only `added_tokens_decoder` has, then special
    /// tokens that only have a role.
    ///
    /// - Throws: `TokenizerError.malformed` if a token's id contradicts the vocabulary or is another token's, or if a
    ///   special token has no id.
    init(_ files: TokenizerFiles, beside vocabulary: TokenTable) throws {
        self.init(beside: vocabulary)
        let root = TokenizerPart(json: files.pipeline, file: files.pipelineName, path: "")
        for part in try root["added_tokens"]?.elements() ?? [] {
            let token = try AddedToken(
                part, id: part.required("id").tokenID(), isSpecial: part.flag("special", default: false))
            try add(token, part)
        }
        try add(TransformersSettings(files))
    }

    /// Adds what the settings name and is not here yet.
    mutating func add(_ settings: TransformersSettings) throws {
        for token in try settings.addedTokens() where ids[Array(token.content.utf8)] != token.id {
            try add(token, settings.configuration)
        }
        var special = try settings.otherSpecialTokens().map { ($0, "a special token") }
        for role in TransformersSettings.Role.allCases {
            if let token = try settings.token(role) { special.append((token, role.rawValue)) }
        }
        for (token, name) in special { try addSpecial(token, name, settings.configuration) }
    }

    /// Adds a token with an id.
    mutating func add(_ token: AddedToken, _ part: TokenizerPart) throws {
        let bytes = Array(token.content.utf8)
        if let id = vocabulary.id(of: bytes) {
            if id != token.id {
                throw part.fault("\"\(token.content)\" has id \(token.id) here and \(id) in the vocabulary")
            }
        } else if let other = vocabulary.bytes(of: token.id) {
            let other = String(decoding: other, as: UTF8.self)
            throw part.fault("\"\(token.content)\" has the id \(token.id) of \"\(other)\"")
        }
        if let id = ids[bytes] {
            if id != token.id { throw part.fault("\"\(token.content)\" has the ids \(id) and \(token.id)") }
            return
        }
        if let other = contents[token.id] {
            throw part.fault("\"\(token.content)\" has the id \(token.id) of \"\(other)\"")
        }
        ids[bytes] = token.id
        contents[token.id] = token.content
        tokens.append(token)
    }

    /// Adds a special token that has its id from the vocabulary; one that is here already keeps its flags.
    private mutating func addSpecial(_ token: AddedToken, _ name: String, _ part: TokenizerPart) throws {
        if token.content.isEmpty || ids[Array(token.content.utf8)] != nil { return }
        guard let id = vocabulary.id(of: token.content) else {
            throw part.fault("\(name) \"\(token.content)\" is not in the vocabulary")
        }
        var token = token
        token.id = id
        try add(token, part)
    }
}
