import Formats

/// The pipeline that a class of Transformers makes of a tokenizer.json and its settings.
struct ClassPipeline {
    let kind: TransformersClass
    /// The settings, with the roles that the class has by itself.
    private let configuration: JSONValue
    private let settings: TransformersSettings

    private init(_ kind: TransformersClass, _ configuration: JSONValue, _ specialTokensMap: JSONValue) {
        self.kind = kind
        self.configuration = configuration
        settings = TransformersSettings(configuration: configuration, specialTokensMap: specialTokensMap)
    }

    /// Puts what the class makes of it in the place of what a tokenizer.json says, and notes each difference.
    ///
    /// Where there is none, the files stay as they are, but for the roles of tokens.
    static func apply(_ kind: TransformersClass, to files: inout TokenizerFiles, model: inout TokenModel) throws {
        let given = TransformersSettings(files)
        for (role, token) in kind.defaults where !given.mentions(role) {
            let isAdded = files.pipeline["added_tokens"]?.array?.contains { $0["content"]?.string == token } ?? false
            if isAdded || model.vocabulary.id(of: token) != nil {
                files.configuration = files.configuration.setting(role.rawValue, to: .string(token))
            }
        }
        try ClassPipeline(kind, files.configuration, files.specialTokensMap).apply(to: &files, model: &model)
    }

    private func apply(to files: inout TokenizerFiles, model: inout TokenModel) throws {
        guard kind.fits(model) else { return }
        let root = TokenizerPart(json: files.pipeline, file: files.pipelineName, path: "")
        var pipeline = files.pipeline
        var changed: [String] = []
        func set(_ key: String, to json: JSONValue, isEqual: Bool) {
            if isEqual { return }
            pipeline = pipeline.setting(key, to: json)
            changed.append(key)
        }
        func part(_ json: JSONValue) -> TokenizerPart? {
            json.unlessNull.map { TokenizerPart(json: $0, file: kind.rawValue, path: "") }
        }
        /// Whether a part of the file is what the class makes; what cannot be read is not.
        func isEqual<Value: Equatable>(_ key: String, _ json: JSONValue, _ read: (TokenizerPart) throws -> Value) throws -> Bool {
            let wanted = try part(json).map(read)
            guard let present = root[key] else { return wanted == nil }
            guard let value = try? read(present) else { return false }
            return value == wanted
        }
        let normalizer = try self.normalizer()
        set("normalizer", to: normalizer, isEqual: try isEqual("normalizer", normalizer) { try Normalizer($0) })
        let preTokenizer = try self.preTokenizer()
        set("pre_tokenizer", to: preTokenizer, isEqual: try isEqual("pre_tokenizer", preTokenizer) { try PreTokenizer($0) })
        let decoder = try self.decoder()
        set("decoder", to: decoder, isEqual: try isEqual("decoder", decoder) { try TokenDecoder($0) })
        dropUnlisted(from: &pipeline, &files.notes)
        if let processor = try postProcessor(pipeline, files, model.vocabulary) {
            let present = try? PostProcessor(root["post_processor"])
            set("post_processor", to: processor, isEqual: try present == PostProcessor(part(processor)))
        }
        if let (other, json) = try self.model(model, file: files.pipelineName) {
            model = other
            pipeline = pipeline.setting("model", to: json)
            changed.append("model")
        }
        files.pipeline = pipeline
        if changed.isEmpty { return }
        let said = Self.flags.compactMap { key in configuration[key]?.unlessNull.map { "\(key) \(Self.text($0))" } }
        let source = "\(kind.rawValue)" + (said.isEmpty ? "" : " with " + said.joined(separator: ", "))
        files.notes.append(
            "tokenizer.json: its \(changed.joined(separator: ", ")) \(changed.count == 1 ? "differs" : "differ") from what tokenizer_config.json "
                + "asks for (\(source)); the latter counts, as in Transformers 5")
        // The pipeline says it all now.
        files.configuration = files.configuration.setting("tokenizer_class", to: "PreTrainedTokenizerFast")
    }

    /// The settings that make a difference to some class.
    private static let flags = ["do_lower_case", "strip_accents", "tokenize_chinese_chars", "add_prefix_space", "legacy"]

    private static func text(_ value: JSONValue) -> String {
        value.bool.map { $0 ? "true" : "false" } ?? "null"
    }

    /// A class that makes its own pipeline knows the added tokens of `added_tokens_decoder` alone, if there is one.
    private func dropUnlisted(from pipeline: inout JSONValue, _ notes: inout [String]) {
        guard let members = configuration["added_tokens_decoder"]?.members, let tokens = pipeline["added_tokens"]?.array else { return }
        let pairs = members.compactMap { member in
            member.value["content"]?.string.map { (Array($0.utf8), member.value["special"]?.bool ?? false) }
        }
        let listed = Dictionary(pairs, uniquingKeysWith: { $1 })
        var dropped: [String] = []
        let kept = tokens.filter { token in
            guard let content = token["content"]?.string else { return true }
            if listed[Array(content.utf8)] == token["special"]?.bool ?? false { return true }
            if listed[Array(content.utf8)] == nil { dropped.append(content) }
            return false
        }
        if kept.count == tokens.count { return }
        pipeline = pipeline.setting("added_tokens", to: .array(kept))
        if let first = dropped.first {
            let more = dropped.count > 1 ? " and \(dropped.count - 1) more" : ""
            notes.append(
                "tokenizer.json: its added token \"\(first)\"\(more) is not in tokenizer_config.json's added_tokens_decoder, which is what "
                    + "\(kind.rawValue) reads")
        }
    }

    // MARK: What the classes make

    private func normalizer() throws -> JSONValue {
        switch kind {
        case .bert:
            [
                "type": "BertNormalizer", "clean_text": true,
                "handle_chinese_chars": .bool(try settings.flag("tokenize_chinese_chars") ?? true),
                "strip_accents": try settings.flag("strip_accents").map { .bool($0) } ?? .null,
                "lowercase": .bool(try settings.flag("do_lower_case") ?? true),
            ]
        case .qwen2, .gptNeoX: ["type": "NFC"]
        case .roberta, .gpt2, .llama: nil
        }
    }

    private func preTokenizer() throws -> JSONValue {
        let addsSpace = try settings.flag("add_prefix_space")
        switch kind {
        case .bert: return ["type": "BertPreTokenizer"]
        case .roberta, .gpt2, .gptNeoX: return ByteLevelFiles.byteLevel(addsSpace: addsSpace ?? false, usesPattern: true)
        case .qwen2:
            return [
                "type": "Sequence",
                "pretokenizers": [
                    [
                        "type": "Split", "pattern": ["Regex": .string(ByteLevelFiles.qwenPattern)], "behavior": "Isolated",
                        "invert": false,
                    ],
                    ByteLevelFiles.byteLevel(addsSpace: addsSpace ?? false, usesPattern: false),
                ],
            ]
        case .llama:
            let scheme: JSONValue = addsSpace == false ? "never" : try settings.flag("legacy") == true ? "always" : "first"
            return ["type": "Metaspace", "replacement": SentencePieceFiles.space, "prepend_scheme": scheme, "split": false]
        }
    }

    private func decoder() throws -> JSONValue {
        switch kind {
        case .bert: ["type": "WordPiece", "prefix": "##", "cleanup": true]
        case .llama:
            SentencePieceFiles.decoder(addsSpace: try settings.flag("add_prefix_space") ?? true, fallsBackToBytes: true)
        case .roberta, .gpt2, .qwen2, .gptNeoX: ByteLevelFiles.byteLevel(addsSpace: true, usesPattern: true)
        }
    }

    /// What stands around texts; nil where the class leaves it as tokenizer.json has it.
    private func postProcessor(
        _ pipeline: JSONValue, _ files: TokenizerFiles, _ vocabulary: TokenTable
    ) throws -> JSONValue? {
        switch kind {
        case .gpt2, .llama, .qwen2: return nil
        case .gptNeoX: return .null
        case .bert, .roberta:
            var files = files
            files.pipeline = pipeline
            let list = try AddedTokenList(files, beside: vocabulary)
            func token(_ role: TransformersSettings.Role) throws -> TemplateJSON.Token? {
                try settings.token(role).flatMap { list.token($0.content) }.map { .init(text: $0.content, id: $0.id) }
            }
            guard let first = try token(.classification), let last = try token(.separator) else { return nil }
            if kind == .bert { return TemplateJSON(prefix: [first], suffix: [last], opensSecond: false).json }
            return [
                "type": "RobertaProcessing", "sep": [.string(last.text), .integer(Int(last.id))],
                "cls": [.string(first.text), .integer(Int(first.id))], "trim_offsets": true,
                "add_prefix_space": .bool(try settings.flag("add_prefix_space") ?? false),
            ]
        }
    }

    /// The model with the options of the class, and its JSON; nil if it has them already.
    private func model(_ model: TokenModel, file: String) throws -> (TokenModel, JSONValue)? {
        switch model {
        case .bpe(let model):
            var options = BPEModel.Options()
            if kind == .llama { (options.fusesUnknown, options.fallsBackToBytes) = (true, true) }
            // an unknown token without an id is none
            var present = model.options
            if kind != .llama, present.unknownToken == nil || model.lacksUnknownToken || model.knowsEveryText(spellsBytes: true) {
                (present.unknownToken, present.fusesUnknown) = (nil, false)
            } else if kind == .llama, model.knowsEveryText(spellsBytes: false) {
                present.unknownToken = nil
            }
            if present == options { return nil }
            return (
                .bpe(model.with(options)),
                [
                    "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
                    "fuse_unk": .bool(options.fusesUnknown), "byte_fallback": .bool(options.fallsBackToBytes), "ignore_merges": false,
                ]
            )
        case .wordPiece(let model):
            guard let unknown = try settings.token(.unknown)?.content, let id = model.vocabulary.id(of: unknown) else { return nil }
            if model.unknown == id, model.continuingPrefix == Array("##".utf8), model.characterLimit == 100 { return nil }
            return (
                .wordPiece(try model.with(prefix: "##", characterLimit: 100, unknownToken: unknown, file: file)),
                [
                    "type": "WordPiece", "unk_token": .string(unknown), "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100,
                ]
            )
        case .unigram, .wordLevel: return nil
        }
    }
}
