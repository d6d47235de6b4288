import Formats

/// The tokenizer pipeline that a tokenizer class of Transformers builds from a `tokenizer.json` and its settings.
struct ClassPipeline {
    let kind: TransformersClass
    /// The settings, including the class's default special tokens.
    private let configuration: JSONValue
    private let settings: TransformersSettings
    /// The precompiled SentencePiece normalizer in the files, if there is one.
    private let characterMap: JSONValue?

    init(_ kind: TransformersClass, _ configuration: JSONValue, _ specialTokensMap: JSONValue, characterMap: JSONValue?) {
        self.kind = kind
        self.configuration = configuration
        self.characterMap = characterMap
        settings = TransformersSettings(configuration: configuration, specialTokensMap: specialTokensMap)
    }

    /// Replaces parts of a `tokenizer.json` by those that the class builds, with a note about the differences.
    ///
    /// If the class does not fit the model, only the roles of special tokens are set.
    static func apply(_ kind: TransformersClass, to files: inout TokenizerFiles, model: inout TokenModel) throws {
        let given = TransformersSettings(files)
        for (role, token) in kind.defaults where !given.mentions(role) {
            let isAdded = files.pipeline["added_tokens"]?.array?.contains { $0["content"]?.string == token } ?? false
            if isAdded || model.vocabulary.id(of: token) != nil {
                files.configuration = files.configuration.setting(role.rawValue, to: .string(token))
            }
        }
        if kind.fits(model) {
            let further = kind.furtherSpecialTokens(files.configuration)
            if !further.isEmpty {
                files.configuration = files.configuration.setting("additional_special_tokens", to: .array(further.map { .string($0) }))
            }
        }
        let normalizer = files.pipeline["normalizer"]
        let steps = normalizer?["type"]?.string == "Sequence" ? normalizer?["normalizers"]?.array ?? [] : [normalizer].compactMap { $0 }
        let characterMap = steps.first { $0["type"]?.string == "Precompiled" }
        try ClassPipeline(kind, files.configuration, files.specialTokensMap, characterMap: characterMap).apply(to: &files, model: &model)
    }

    /// Replaces the parts that differ from what the class builds.
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
        /// Whether a part of the file equals what the class builds. A part that cannot be read does not.
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
            "tokenizer.json: \(changed.joined(separator: ", ")) \(changed.count == 1 ? "differs" : "differ") from tokenizer_config.json "
                + "(\(source)), which takes precedence, as in Transformers 5")
        // The pipeline now contains everything that the class adds.
        files.configuration = files.configuration.setting("tokenizer_class", to: "PreTrainedTokenizerFast")
    }

    /// The settings that affect the pipeline of some class.
    private static let flags = ["do_lower_case", "strip_accents", "tokenize_chinese_chars", "add_prefix_space", "legacy"]

    private static func text(_ value: JSONValue) -> String {
        value.bool.map { $0 ? "true" : "false" } ?? "null"
    }

    /// Removes added tokens that are not in `added_tokens_decoder`, if the settings have it: a class that builds its
    /// own pipeline knows only those.
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
                "tokenizer.json: the added token \"\(first)\"\(more) is ignored, because \(kind.rawValue) uses added_tokens_decoder of "
                    + "tokenizer_config.json, where it is missing")
        }
    }

    // MARK: What the classes build

    /// The class's normalizer.
    func normalizer() throws -> JSONValue {
        func sequence(_ steps: [JSONValue]) -> JSONValue { ["type": "Sequence", "normalizers": .array(steps)] }
        func replace(_ kind: String, _ pattern: String, _ content: String) -> JSONValue {
            ["type": "Replace", "pattern": [kind: .string(pattern)], "content": .string(content)]
        }
        switch kind {
        case .bert, .mpnet:
            return [
                "type": "BertNormalizer", "clean_text": true,
                "handle_chinese_chars": .bool(try settings.flag("tokenize_chinese_chars") ?? true),
                "strip_accents": try settings.flag("strip_accents").map { .bool($0) } ?? .null,
                "lowercase": .bool(try settings.flag("do_lower_case") ?? true),
            ]
        case .qwen2, .qwen35, .gptNeoX, .cohere: return ["type": "NFC"]
        case .roberta, .gpt2, .codeGen, .llama, .codeLlama: return nil
        case .gemma: return replace("String", " ", "\u{2581}")
        case .t5, .xlmRoberta, .camembert: return characterMap ?? nil
        case .albert:
            var steps = [replace("String", "``", "\""), replace("String", "''", "\"")]
            if try settings.flag("keep_accents") != true { steps += [["type": "NFKD"], ["type": "StripAccents"]] }
            if try settings.flag("do_lower_case") ?? true { steps.append(["type": "Lowercase"]) }
            return sequence(steps + [characterMap].compactMap { $0 })
        case .debertaV2:
            let lower: [JSONValue] = try settings.flag("do_lower_case") == true ? [["type": "Lowercase"]] : []
            return sequence(
                lower + [
                    replace("Regex", #"\s{2,}|[\n\r\t]"#, " "), ["type": "NFC"],
                    ["type": "Strip", "strip_left": false, "strip_right": true],
                ])
        }
    }

    /// The Metaspace component of a Unigram class, used as pre-tokenizer and as decoder.
    private func metaspace() throws -> JSONValue {
        let addsSpace = try settings.flag("add_prefix_space") ?? true
        let scheme: JSONValue = kind == .t5 || addsSpace ? "always" : kind == .debertaV2 ? "first" : "never"
        return ["type": "Metaspace", "replacement": SentencePieceFiles.space, "prepend_scheme": scheme, "split": true]
    }

    /// The class's pre-tokenizer.
    func preTokenizer() throws -> JSONValue {
        let addsSpace = try settings.flag("add_prefix_space")
        func sequence(_ steps: [JSONValue]) -> JSONValue { ["type": "Sequence", "pretokenizers": .array(steps)] }
        switch kind {
        case .cohere:
            return sequence([
                ["type": "Digits", "individual_digits": true], ByteLevelFiles.byteLevel(addsSpace: addsSpace ?? false, usesPattern: true),
            ])
        case .gemma: return ["type": "Split", "pattern": ["String": " "], "behavior": "MergedWithPrevious", "invert": false]
        case .t5, .xlmRoberta, .camembert, .albert: return sequence([["type": "WhitespaceSplit"], try metaspace()])
        case .debertaV2:
            let splits = try settings.flag("split_by_punct") == true
            return sequence((splits ? [["type": "Punctuation", "behavior": "Isolated"]] : []) + [try metaspace()])
        case .bert, .mpnet: return ["type": "BertPreTokenizer"]
        case .roberta, .gpt2, .codeGen, .gptNeoX: return ByteLevelFiles.byteLevel(addsSpace: addsSpace ?? false, usesPattern: true)
        case .qwen2, .qwen35:
            let pattern = kind == .qwen2 ? ByteLevelFiles.qwenPattern : ByteLevelFiles.qwen35Pattern
            return [
                "type": "Sequence",
                "pretokenizers": [
                    [
                        "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated",
                        "invert": false,
                    ],
                    ByteLevelFiles.byteLevel(addsSpace: addsSpace ?? false, usesPattern: false),
                ],
            ]
        case .llama, .codeLlama:
            let isLegacy = try kind == .llama && settings.flag("legacy") == true
            let scheme: JSONValue = addsSpace == false ? "never" : isLegacy ? "always" : "first"
            return ["type": "Metaspace", "replacement": SentencePieceFiles.space, "prepend_scheme": scheme, "split": false]
        }
    }

    /// The class's decoder.
    func decoder() throws -> JSONValue {
        switch kind {
        case .gemma: SentencePieceFiles.decoder(addsSpace: false, fallsBackToBytes: true)
        case .codeLlama: SentencePieceFiles.decoder(addsSpace: true, fallsBackToBytes: true)
        case .t5, .xlmRoberta, .camembert, .albert, .debertaV2: try metaspace()
        case .bert, .mpnet: ["type": "WordPiece", "prefix": "##", "cleanup": true]
        case .llama:
            SentencePieceFiles.decoder(addsSpace: try settings.flag("add_prefix_space") ?? true, fallsBackToBytes: true)
        case .roberta, .gpt2, .codeGen, .qwen2, .qwen35, .gptNeoX, .cohere: ByteLevelFiles.byteLevel(addsSpace: true, usesPattern: true)
        }
    }

    /// The class's post-processor; nil if the class keeps the one in `tokenizer.json`.
    func postProcessor(
        _ pipeline: JSONValue, _ files: TokenizerFiles, _ vocabulary: TokenTable
    ) throws -> JSONValue? {
        switch kind {
        case .gpt2, .codeGen, .llama, .qwen2, .qwen35, .cohere, .gemma: return nil
        // the class has one, but that of the file takes precedence
        case .albert where pipeline["post_processor"]?.unlessNull != nil: return nil
        case .gptNeoX: return .null
        case .codeLlama, .bert, .mpnet, .roberta, .t5, .xlmRoberta, .camembert, .albert, .debertaV2:
            var files = files
            files.pipeline = pipeline
            let list = try AddedTokenList(files, beside: vocabulary)
            func token(_ role: TransformersSettings.Role) throws -> TemplateJSON.Token? {
                try settings.token(role).flatMap { list.token($0.content) }.map { .init(text: $0.content, id: $0.id) }
            }
            // the beginning-of-sequence token, regardless of the files
            if kind == .codeLlama { return try token(.begin).map { TemplateJSON(prefix: [$0], suffix: []).json } }
            if kind == .t5 {
                return try token(.end).map {
                    TemplateJSON(prefix: [], suffix: [.init(text: "</s>", id: $0.id)]).untypedJSON(doublesClosing: false)
                }
            }
            if kind == .xlmRoberta || kind == .camembert {
                guard let begin = try token(.begin), let end = try token(.end) else { return nil }
                return TemplateJSON(prefix: [begin], suffix: [end]).untypedJSON(doublesClosing: true)
            }
            guard let first = try token(.classification), let last = try token(.separator) else { return nil }
            if kind == .bert || kind == .albert || kind == .debertaV2 {
                return TemplateJSON(prefix: [first], suffix: [last], opensSecond: false).json
            }
            return [
                "type": "RobertaProcessing", "sep": [.string(last.text), .integer(Int(last.id))],
                "cls": [.string(first.text), .integer(Int(first.id))], "trim_offsets": true,
                "add_prefix_space": .bool(try settings.flag("add_prefix_space") ?? false),
            ]
        }
    }

    /// The model with the class's options, and its JSON; nil if the model already has those options.
    private func model(_ model: TokenModel, file: String) throws -> (TokenModel, JSONValue)? {
        switch model {
        case .bpe(let model):
            var options = BPEModel.Options()
            let isLlama = [.llama, .codeLlama, .gemma].contains(kind)
            if isLlama { (options.fusesUnknown, options.fallsBackToBytes) = (true, true) }
            // an unknown token that is not in the vocabulary counts as none
            var present = model.options
            if !isLlama, present.unknownToken == nil || model.lacksUnknownToken || model.knowsEveryText(spellsBytes: true) {
                (present.unknownToken, present.fusesUnknown) = (nil, false)
            } else if isLlama, model.knowsEveryText(spellsBytes: false) {
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
        case .unigram(let model):
            let unknown = try unknownID(model, file: file)
            if model.unknown == unknown, !model.fallsBackToBytes { return nil }
            return (
                .unigram(model.with(unknown: unknown, fallsBackToBytes: false)),
                ["type": "Unigram", "unk_id": .integer(Int(unknown)), "byte_fallback": false]
            )
        case .wordLevel: return nil
        }
    }

    /// The ID of the unknown token at the place where the class expects it.
    /// - Throws: `TokenizerError.malformed` if the vocabulary is too small.
    func unknownID(_ model: UnigramModel, file: String) throws -> Int32 {
        let id: Int32
        switch kind {
        case .t5: id = 2
        case .xlmRoberta: id = 3
        case .camembert: id = try settings.token(.unknown).flatMap { model.vocabulary.id(of: $0.content) } ?? 0
        case .debertaV2:
            let named = try settings.token(.unknown).flatMap { model.vocabulary.id(of: $0.content) }
            id = named.flatMap { model.scores[Int($0)] == 0 ? $0 : nil } ?? Int32(clamping: configuration["unk_id"]?.integer ?? 1)
        default: id = 1
        }
        guard model.vocabulary.bytes(of: id) != nil else {
            throw TokenizerError.malformed(
                file: file, line: nil,
                reason: "model: \(kind.rawValue) expects its unknown token at id \(id), but there are only \(model.scores.count) tokens")
        }
        return id
    }
}
