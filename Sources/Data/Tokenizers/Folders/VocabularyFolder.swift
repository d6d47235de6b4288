import Formats

/// What the readers of vocabulary files share: they put together the pipeline that a tokenizer.json would hold.
struct VocabularyFolder {
    let folder: FolderContents
    /// The file that the vocabulary was read from.
    let name: String
    var configuration: JSONValue
    let specialTokensMap: JSONValue

    init(_ folder: FolderContents, name: String) throws {
        self.folder = folder
        self.name = folder.path(name)
        configuration = try folder.json("tokenizer_config.json") ?? .object([])
        specialTokensMap = try folder.json("special_tokens_map.json") ?? .object([])
    }

    /// A folder of nothing but a vocabulary, whose file has a word on all that a tokenizer_config.json says.
    init(_ folder: FolderContents, name: String, configuration: JSONValue) {
        self.folder = folder
        self.name = name
        self.configuration = configuration
        specialTokensMap = .object([])
    }

    var settings: TransformersSettings {
        TransformersSettings(configuration: configuration, specialTokensMap: specialTokensMap)
    }

    /// The name of the tokenizer's class without `Fast`: of tokenizer_config.json, else what config.json makes of it.
    ///
    /// - Parameter classes: The classes of the model types that have their vocabulary in such files.
    /// - Returns: `nil` if neither file tells.
    /// - Throws: `TokenizerError.unsupported` for a model type without a class.
    func tokenizerClass(ofModelTypes classes: [String: String]) throws -> String? {
        if let name = try settings.tokenizerClass() { return name }
        guard let json = try folder.json("config.json") else { return nil }
        let part = TokenizerPart(json: json, file: folder.path("config.json"), path: "")
        if let name = try part["tokenizer_class"]?.string() { return TransformersSettings.baseName(ofClass: name) }
        guard let type = try part["model_type"]?.string() else { return nil }
        guard let name = classes[type] else { throw try part.required("model_type").unsupported(type) }
        return name
    }

    /// The error for a class that is not known.
    func unsupportedClass(_ name: String) -> TokenizerError {
        .unsupported(file: settings.configuration.file, part: "tokenizer_class", name: name)
    }

    /// Names the token of a role, unless the files have their own word on it or the vocabulary lacks the token.
    mutating func setDefault(_ role: TransformersSettings.Role, to token: String, in vocabulary: TokenTable) {
        if settings.mentions(role) || vocabulary.id(of: token) == nil { return }
        configuration = configuration.setting(role.rawValue, to: .string(token))
    }

    /// Sets a flag that the files do not mention.
    mutating func setDefault(_ flag: String, to value: Bool) throws {
        if try settings.flag(flag) == nil { configuration = configuration.setting(flag, to: .bool(value)) }
    }

    /// The files of a tokenizer whose pipeline is given in parts.
    ///
    /// As in Transformers, `add_bos_token` and `add_eos_token` overrule the post-processor. (They say nothing about a
    /// tokenizer.json, which has its own.)
    ///
    /// - Parameters:
    ///   - known: Added tokens that the vocabulary's own file tells of.
    ///   - searchesTextAsGiven: Whether no added token is searched in normalised text, whatever its flag says.
    ///   - normalizer, preTokenizer, postProcessor, decoder, model: as in a tokenizer.json; the model without its
    ///     vocabulary and merges.
    func files(
        known: [AddedToken] = [], searchesTextAsGiven: Bool = false, vocabulary: TokenTable,
        normalizer: JSONValue = nil, preTokenizer: JSONValue = nil, postProcessor: JSONValue = nil,
        decoder: JSONValue, model: JSONValue
    ) throws -> TokenizerFiles {
        var list = AddedTokenList(beside: vocabulary)
        try list.add(known, TokenizerPart(json: .null, file: name, path: ""))
        try list.add(settings.addedTokens(), settings.configuration)
        try addListed(&list)
        try list.add(settings)
        var tokens = list.tokens.sorted { $0.id < $1.id }
        if searchesTextAsGiven { for index in tokens.indices { tokens[index].isNormalized = false } }
        let pipeline: JSONValue = [
            "version": "1.0", "truncation": nil, "padding": nil,
            "added_tokens": .array(tokens.map(\.json)), "normalizer": normalizer,
            "pre_tokenizer": preTokenizer, "post_processor": try flaggedPostProcessor(list) ?? postProcessor,
            "decoder": decoder, "model": model,
        ]
        // The pipeline says it all: a class of its own would put together another one.
        let configuration = configuration.setting("tokenizer_class", to: "PreTrainedTokenizerFast")
        return TokenizerFiles(
            pipeline: pipeline, pipelineName: name, configuration: configuration.listing(tokens),
            specialTokensMap: specialTokensMap, hasFinalTokens: true, notes: list.notes, companions: try folder.companions())
    }

    /// What the flags put around texts; `nil` if there is no flag.
    private func flaggedPostProcessor(_ list: AddedTokenList) throws -> JSONValue? {
        let (addsBegin, addsEnd) = (try settings.flag("add_bos_token"), try settings.flag("add_eos_token"))
        if addsBegin == nil, addsEnd == nil { return nil }
        func tokens(_ role: TransformersSettings.Role, _ isAdded: Bool?) throws -> [TemplateJSON.Token] {
            guard isAdded == true, let content = try settings.token(role)?.content else { return [] }
            return list.token(content).map { [TemplateJSON.Token(text: $0.content, id: $0.id)] } ?? []
        }
        return TemplateJSON(prefix: try tokens(.begin, addsBegin), suffix: try tokens(.end, addsEnd)).json
    }

    /// Adds the tokens of added_tokens.json: `{"<pad>": 32000}`.
    private func addListed(_ list: inout AddedTokenList) throws {
        guard let json = try folder.json("added_tokens.json"), let members = json.members else { return }
        var special: [AddedToken] = try settings.otherSpecialTokens()
        for role in TransformersSettings.Role.allCases { special += try settings.token(role).map { [$0] } ?? [] }
        let named = Dictionary(special.map { (Array($0.content.utf8), $0) }, uniquingKeysWith: { first, _ in first })
        for member in members {
            let part = TokenizerPart(
                json: member.value, file: folder.path("added_tokens.json"), path: "[\"\(member.key)\"]")
            var token =
                named[Array(member.key.utf8)]
                ?? AddedToken(id: -1, content: member.key, isNormalized: true)
            token.id = try part.tokenID()
            try list.add(token, part)
        }
    }
}

extension JSONValue {
    /// This tokenizer_config.json with other tokens in its `added_tokens_decoder`, if it has one.
    func listing(_ tokens: [AddedToken]) -> JSONValue {
        guard self["added_tokens_decoder"]?.unlessNull != nil else { return self }
        let members = tokens.map { token in Member(String(token.id), token.json.removing(["id"])) }
        return setting("added_tokens_decoder", to: .object(members))
    }
}
