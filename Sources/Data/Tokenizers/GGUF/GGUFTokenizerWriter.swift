public import Formats

extension PipelineTokenizer {
    /// The tokenizer as metadata of a GGUF file, readable by ``TokenizerFolder/load(from:)`` and llama.cpp.
    ///
    /// The metadata is verified: a tokenizer read back from it must give the same IDs for sample texts.
    /// - Parameters:
    ///   - rows: The number of rows of the model's embedding. IDs without a token become unused tokens.
    ///   - architecture: The value of `general.architecture`, which readers use to recognise some tokenizers.
    /// - Throws: `TokenizerError.unsupported` for a tokenizer that GGUF's `llama` and `gpt2` cannot represent.
    public func ggufMetadata(rows: Int, architecture: String) throws -> [(key: String, value: GGUFValue)] {
        try GGUFTokenizerWriter(self, rows: rows, architecture: architecture).metadata()
    }
}

/// Converts a tokenizer to the metadata of a GGUF file.
struct GGUFTokenizerWriter {
    private let tokenizer: PipelineTokenizer
    private let rows: Int
    private let architecture: String

    init(_ tokenizer: PipelineTokenizer, rows: Int, architecture: String) {
        self.tokenizer = tokenizer
        self.rows = max(rows, tokenizer.vocabularySize)
        self.architecture = architecture
    }

    /// The error for a part that a GGUF file cannot represent.
    private func unsupported(_ part: String, _ name: String) -> TokenizerError {
        .unsupported(file: tokenizer.files.pipelineName, part: part, name: "\(name), which GGUF cannot store")
    }

    /// The metadata, verified by reading it back.
    func metadata() throws -> [(key: String, value: GGUFValue)] {
        guard case .bpe(let model) = tokenizer.model else {
            throw unsupported("model.type", tokenizer.files.pipeline["model"]?["type"]?.string ?? "without a type")
        }
        if let prefix = model.options.continuingPrefix {
            throw unsupported("model.continuing_subword_prefix", OneLine.quoted(prefix, limit: 40))
        }
        if let suffix = model.options.endSuffix { throw unsupported("model.end_of_word_suffix", OneLine.quoted(suffix, limit: 40)) }
        guard model.options.fallsBackToBytes else { return try checked(byteLevel(model)) }
        // like most files, store only scores, unless they do not imply the order of the merges
        let pieces = pieces(model)
        return try (try? checked(pieces)) ?? checked(pieces + [merges(model)])
    }

    // MARK: The two kinds of tokenizers

    /// The metadata of a byte-level BPE tokenizer.
    private func byteLevel(_ model: BPEModel) throws -> [(key: String, value: GGUFValue)] {
        let (normalizer, words) = (tokenizer.files.pipeline["normalizer"] ?? .null, tokenizer.files.pipeline["pre_tokenizer"] ?? .null)
        let sameWords = GGUFWordKind.names.compactMap { name in GGUFWordKind.kind(name).map { (name: name, kind: $0) } }
            .filter { Self.plain($0.kind.preTokenizer) == Self.plain(words) }
        guard !sameWords.isEmpty else { throw unsupported("pre_tokenizer", words["type"]?.string ?? "without a type") }
        let sameTexts = sameWords.filter { Self.plain($0.kind.normalizer) == Self.plain(normalizer) }
        guard !sameTexts.isEmpty else {
            throw unsupported("normalizer", normalizer["type"]?.string ?? "without a type, with this pre_tokenizer")
        }
        guard let name = sameTexts.first(where: { $0.kind.ignoresMerges == model.options.ignoresMerges })?.name else {
            throw unsupported("model.ignore_merges", "\(model.options.ignoresMerges), with this pre_tokenizer")
        }
        return common(model, kind: "gpt2") + [merges(model), (GGUFTokenizerMetadata.kindKey, Self.text(name))]
    }

    /// The metadata of a SentencePiece tokenizer, with scores in the order of the merges.
    private func pieces(_ model: BPEModel) -> [(key: String, value: GGUFValue)] {
        var scores = (0..<rows).map { -Float($0 + model.merges.count) }
        for (rank, merge) in model.merges.sorted.enumerated().reversed() { scores[Int(merge.merge.result)] = -Float(rank) }
        let normalizer = tokenizer.files.pipeline["normalizer"]
        let all = normalizer?["normalizers"]?.array ?? [normalizer ?? .null]
        let scheme = tokenizer.files.pipeline["pre_tokenizer"]?["prepend_scheme"]?.string
        let addsSpace = all.contains { $0["type"]?.string == "Prepend" } || scheme.map { $0 != "never" } ?? false
        return common(model, kind: "llama") + [
            (GGUFTokenizerMetadata.scoresKey, .array(.floats(scores))), ("tokenizer.ggml.add_space_prefix", .bool(addsSpace)),
            (GGUFTokenizerMetadata.kindKey, Self.text("default")),
        ]
    }

    /// The metadata that both kinds have: tokens, types, special tokens and chat templates.
    private func common(_ model: BPEModel, kind: String) -> [(key: String, value: GGUFValue)] {
        let added = Dictionary(tokenizer.addedVocabulary.tokens.map { ($0.id, $0) }) { $1 }
        var (tokens, types) = (GGUFStrings(), [Int64]())
        for id in 0..<Int32(rows) {
            let bytes = model.vocabulary.bytes(of: id)
            let type: GGUFTokenizerMetadata.TokenType
            if id == tokenizer.unknown {
                type = .unknown
            } else if let token = added[id] {
                type = token.isSpecial ? .control : .userDefined
            } else if let bytes {
                type = kind == "llama" && ByteFallback.byte(Array(bytes)) != nil ? .byte : .normal
            } else {
                type = .unused
            }
            types.append(Int64(type.rawValue))
            tokens.append(added[id].map { Array($0.content.utf8) } ?? bytes.map(Array.init) ?? Array("[PAD\(id)]".utf8))
        }
        let (bare, whole) = (tokenizer.encode("a", addingSpecialTokens: false), tokenizer.encode("a", addingSpecialTokens: true))
        let extra = whole.count > bare.count
        var pairs: [(key: String, value: GGUFValue)] = [
            (GGUFTokenizerMetadata.modelKey, Self.text(kind)), (GGUFTokenizerMetadata.tokensKey, .array(.strings(tokens))),
            (GGUFTokenizerMetadata.typesKey, .array(.signed(types))),
            ("tokenizer.ggml.add_bos_token", .bool(extra && whole.first == tokenizer.beginOfSequence)),
            ("tokenizer.ggml.add_eos_token", .bool(extra && whole.last == tokenizer.endOfSequence && whole.last != bare.last)),
        ]
        for (name, id) in [
            ("bos", tokenizer.beginOfSequence), ("eos", tokenizer.endOfSequence), ("unknown", tokenizer.unknown),
            ("padding", tokenizer.padding),
        ] {
            if let id { pairs.append(("tokenizer.ggml.\(name)_token_id", .unsigned(UInt64(id)))) }
        }
        if let template = tokenizer.files.configuration["chat_template"] {
            for (name, text) in Self.templates(template) { pairs.append(("tokenizer.chat_template\(name)", Self.text(text))) }
        }
        return pairs
    }

    /// The merges as an array of strings.
    private func merges(_ model: BPEModel) -> (key: String, value: GGUFValue) {
        var list = GGUFStrings()
        for merge in model.merges.sorted {
            let (left, right) = (model.vocabulary.bytes(of: merge.left) ?? [], model.vocabulary.bytes(of: merge.right) ?? [])
            list.append(left + [UInt8(ascii: " ")] + right)
        }
        return (GGUFTokenizerMetadata.mergesKey, .array(.strings(list)))
    }

    /// The chat templates, with the suffixes of their keys.
    private static func templates(_ value: JSONValue) -> [(String, String)] {
        if let text = value.string { return [("", text)] }
        return (value.array ?? []).compactMap { entry in
            guard let name = entry["name"]?.string, let text = entry["template"]?.string else { return nil }
            return (name == "default" ? "" : ".\(name)", text)
        }
    }

    private static func text(_ text: String) -> GGUFValue { .string(Array(text.utf8)) }

    // MARK: Checks

    /// A part of a pipeline reduced to what affects token IDs, for comparison.
    private static func plain(_ part: JSONValue) -> JSONValue {
        if let elements = part["pretokenizers"]?.array ?? part["normalizers"]?.array, elements.count == 1 { return plain(elements[0]) }
        guard let members = part.members else { return part.array.map { .array($0.map(plain)) } ?? part }
        let usual: [String: JSONValue] = ["use_regex": true, "add_prefix_space": true, "invert": false]
        return .object(
            members.filter { $0.key != "trim_offsets" && !$0.value.isNull && usual[$0.key] != $0.value }
                .map { .init($0.key, plain($0.value)) }.sorted { $0.key < $1.key })
    }

    private static let samples = [
        "Hello, world! It's 2024: a\n\n  test\twith 12345 numbers, dashes -- and (brackets).", " leading and   inner spaces",
        "ÀÉ ñandú 日本語 🙂",
        "don't DON'T we'll\r\nfoo_bar = baz(1.5e-3);", "",
    ]

    /// The metadata, after checking that a tokenizer read from it gives the same IDs for the samples.
    private func checked(_ pairs: [(key: String, value: GGUFValue)]) throws -> [(key: String, value: GGUFValue)] {
        var metadata = Dictionary(pairs) { $1 }
        metadata["general.architecture"] = Self.text(architecture)
        let (files, model) = try GGUFTokenizer.read(GGUFTokenizerMetadata(metadata, file: tokenizer.files.pipelineName))
        let again = try PipelineTokenizer(files: files, model: model)
        let others = Dictionary(again.addedVocabulary.tokens.map { ($0.id, $0) }) { $1 }
        for token in tokenizer.addedVocabulary.tokens {
            guard let other = others[token.id], other.isSingleWord == token.isSingleWord, other.stripsLeft == token.stripsLeft,
                other.stripsRight == token.stripsRight, other.isNormalized == token.isNormalized || tokenizer.normalizer == nil
            else { throw unsupported("added_tokens", "the matching rules of \(OneLine.quoted(token.content, limit: 40))") }
        }
        for sample in Self.samples {
            for special in [false, true] {
                guard again.encode(sample, addingSpecialTokens: special) == tokenizer.encode(sample, addingSpecialTokens: special) else {
                    throw unsupported("post_processor", "these token boundaries")
                }
            }
        }
        return pairs
    }
}
