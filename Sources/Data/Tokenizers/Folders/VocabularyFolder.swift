import Formats

/// Shared functionality of the readers of vocabulary files, which build the pipeline that a `tokenizer.json` would
/// contain.
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

    /// Creates a value for a vocabulary file that also contains the settings of a `tokenizer_config.json`.
    init(_ folder: FolderContents, name: String, configuration: JSONValue) {
        self.folder = folder
        self.name = name
        self.configuration = configuration
        specialTokensMap = .object([])
    }

    /// The settings as Transformers interprets them.
    var settings: TransformersSettings {
        TransformersSettings(configuration: configuration, specialTokensMap: specialTokensMap)
    }

    /// The name of the tokenizer class without `Fast`: from `tokenizer_config.json`, or else from `config.json`.
    ///
    /// - Parameter classes: The classes by model type, for models with this kind of vocabulary file.
    /// - Returns: `nil` if neither file names a class.
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

    /// The error for an unsupported class.
    func unsupportedClass(_ name: String) -> TokenizerError {
        .unsupported(file: settings.configuration.file, part: "tokenizer_class", name: name)
    }

    /// Sets the token of a role, unless the files mention the role or the vocabulary lacks the token.
    mutating func setDefault(_ role: TransformersSettings.Role, to token: String, in vocabulary: TokenTable) {
        if settings.mentions(role) || vocabulary.id(of: token) == nil { return }
        configuration = configuration.setting(role.rawValue, to: .string(token))
    }

    /// Sets a flag that the files do not set.
    mutating func setDefault(_ flag: String, to value: Bool) throws {
        if try settings.flag(flag) == nil { configuration = configuration.setting(flag, to: .bool(value)) }
    }

    /// The files of a tokenizer with the given pipeline.
    ///
    /// As in Transformers, `add_bos_token` and `add_eos_token` override the post-processor. (For a `tokenizer.json`
    /// they have no effect, because it has its own post-processor.)
    ///
    /// - Parameters:
    ///   - known: Added tokens that the vocabulary file itself defines.
    ///   - searchesTextAsGiven: Whether all added tokens are matched in the original text, regardless of their flags.
    ///   - vocabulary: The vocabulary.
    ///   - normalizer: The normalizer, as in a `tokenizer.json`.
    ///   - preTokenizer: The pre-tokenizer, as in a `tokenizer.json`.
    ///   - postProcessor: The post-processor, as in a `tokenizer.json`.
    ///   - decoder: The decoder, as in a `tokenizer.json`.
    ///   - model: The model, as in a `tokenizer.json`, without its vocabulary and merges.
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
        // The pipeline is complete; a class could build another one.
        let configuration = configuration.setting("tokenizer_class", to: "PreTrainedTokenizerFast")
        return TokenizerFiles(
            pipeline: pipeline, pipelineName: name, configuration: configuration.listing(tokens),
            specialTokensMap: specialTokensMap, hasFinalTokens: true, notes: list.notes, companions: try folder.companions())
    }

    /// The post-processor that the flags describe; `nil` if neither flag is set.
    private func flaggedPostProcessor(_ list: AddedTokenList) throws -> JSONValue? {
        let (addsBegin, addsEnd) = (try settings.flag("add_bos_token"), try settings.flag("add_eos_token"))
        if addsBegin == nil, addsEnd == nil { return nil }
        func tokens(_ role: TransformersSettings.Role, _ isAdded: Bool?) throws -> [TemplateJSON.Token] {
            guard isAdded == true, let content = try settings.token(role)?.content else { return [] }
            return list.token(content).map { [TemplateJSON.Token(text: $0.content, id: $0.id)] } ?? []
        }
        return TemplateJSON(prefix: try tokens(.begin, addsBegin), suffix: try tokens(.end, addsEnd)).json
    }

    /// Adds the tokens of `added_tokens.json`: `{"<pad>": 32000}`.
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
    /// This `tokenizer_config.json` with the given tokens in `added_tokens_decoder`, if it has that key.
    func listing(_ tokens: [AddedToken]) -> JSONValue {
        guard self["added_tokens_decoder"]?.unlessNull != nil else { return self }
        let members = tokens.map { token in Member(String(token.id), token.json.removing(["id"])) }
        return setting("added_tokens_decoder", to: .object(members))
    }
}
