import Formats
import Foundation

/// Reads `tokenizer.model`: SentencePiece models of byte-pair encoding, as in LLaMA, or Unigram.
///
/// The result is the pipeline that Transformers builds from such a file. Unless `tokenizer_config.json` sets `legacy`
/// to false, it behaves like SentencePiece itself: a space is added before every text, even before one that starts with
/// a space.
enum SentencePieceFiles {
    /// The names of SentencePiece files, in order of precedence.
    private static let names = ["tokenizer.model", "spiece.model", "spm.model", "sentencepiece.bpe.model"]

    /// The first of these files in a folder; nil if there is none.
    static func file(in contents: FolderContents) throws -> (name: String, bytes: [UInt8])? {
        for name in names {
            if let bytes = try contents.bytes(name) { return (name, bytes) }
        }
        return nil
    }

    /// Builds the tokenizer that Transformers makes of the model and the folder's settings.
    /// - Throws: `TokenizerError`.
    static func read(
        _ bytes: [UInt8], named fileName: String, in contents: FolderContents
    ) throws -> (files: TokenizerFiles, model: TokenModel) {
        var folder = try VocabularyFolder(contents, name: fileName)
        let source = try SentencePieceModel(bytes, file: folder.name)
        try refuseWhatIsMissing(source, folder)
        let kind = try unigramClass(of: source, folder)
        let unknown = try name(of: source.unknown, source, "unk_id", folder)
        let roles: [(TransformersSettings.Role, Int32?, String)] = [
            (.begin, source.begin, "bos_id"), (.end, source.end, "eos_id"), (.unknown, source.unknown, "unk_id"),
            (.padding, source.padding, "pad_id"),
        ]
        let named = try roles.map { role, id, key in (role, try name(of: id, source, key, folder)) }
        if let kind {
            let pieces = UnigramPieces(source, kind, folder.settings)
            return try pieces.files(kind, folder, characterMap: characterMap(of: source, folder))
        }
        let model: TokenModel
        if source.modelType == 1 {
            model = .unigram(
                try UnigramPieces(source).model(unknown: source.unknown, fallsBackToBytes: source.fallsBackToBytes, folder.name))
        } else {
            let vocabulary = try vocabulary(of: source, folder)
            model = .bpe(
                try BPEModel(
                    vocabulary: vocabulary, pairs: merges(of: source, vocabulary),
                    options: BPEModel.Options(
                        unknownToken: unknown, fusesUnknown: true, fallsBackToBytes: source.fallsBackToBytes),
                    file: folder.name, line: { "merge \($0)" }))
        }
        for case (let role, let token?) in named { folder.setDefault(role, to: token, in: model.vocabulary) }
        if source.modelType == 2 {
            try folder.setDefault("add_bos_token", to: true)
            try folder.setDefault("add_eos_token", to: false)
        }
        let addsSpace = try folder.settings.flag("add_prefix_space") ?? source.addsDummyPrefix
        // without a space prefix, legacy and current behaviour are the same; a space suffix exists only in legacy form
        let isLegacy = try folder.settings.flag("legacy") ?? true || source.treatsSpaceAsSuffix
        let json: JSONValue
        if case .unigram = model {
            json = [
                "type": "Unigram", "unk_id": source.unknown.map { .integer(Int($0)) } ?? .null,
                "byte_fallback": .bool(source.fallsBackToBytes),
            ]
        } else {
            json = [
                "type": "BPE", "dropout": nil, "unk_token": unknown.map { .string($0) } ?? .null,
                "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": true,
                "byte_fallback": .bool(source.fallsBackToBytes), "ignore_merges": false,
            ]
        }
        let files = try folder.files(
            // In Transformers, the space before texts is not part of the normalizer, so it does not affect the matching
            // of added tokens.
            known: knownTokens(of: source), searchesTextAsGiven: true, vocabulary: model.vocabulary,
            normalizer: normalizer(source, folder, addsSpace: addsSpace && isLegacy, escapes: isLegacy || !addsSpace),
            preTokenizer: isLegacy ? nil : metaspace(addsSpace: addsSpace),
            decoder: decoder(
                // SentencePiece does not remove a space that it added after a text
                addsSpace: addsSpace && !source.treatsSpaceAsSuffix, fallsBackToBytes: source.fallsBackToBytes),
            model: json)
        return (files, model)
    }

    /// The Transformers class of a Unigram model; nil if none is named.
    private static func unigramClass(of source: SentencePieceModel, _ folder: VocabularyFolder) throws -> TransformersClass? {
        guard source.modelType == 1 else { return nil }
        let configuration = try folder.folder.json("config.json")
        let type = configuration?["model_type"]?.string.flatMap { TransformersClass.registry[$0] }
        let named =
            try folder.settings.tokenizerClass() ?? configuration?["tokenizer_class"]?.string.map(TransformersSettings.baseName) ?? type
        return named.flatMap { TransformersClass(named: $0) }.flatMap { $0.isUnigram ? $0 : nil }
    }

    /// The tokens that are matched in the text itself.
    static func knownTokens(of source: SentencePieceModel) -> [AddedToken] {
        source.pieces.enumerated().compactMap { id, piece in
            guard [.unknown, .control, .userDefined].contains(piece.type) else { return nil }
            return AddedToken(id: Int32(id), content: String(decoding: piece.text, as: UTF8.self), isSpecial: piece.type != .userDefined)
        }
    }

    /// Rejects models with features that are not supported.
    /// - Throws: `TokenizerError.unsupported`.
    private static func refuseWhatIsMissing(_ source: SentencePieceModel, _ folder: VocabularyFolder) throws {
        func refuse(_ part: String, _ name: String) throws {
            throw TokenizerError.unsupported(file: folder.name, part: part, name: name)
        }
        let types: [UInt64: String] = [3: "words", 4: "characters"]
        if source.modelType != 2, source.modelType != 1 {
            try refuse("model_type", types[source.modelType] ?? String(source.modelType))
        }
        if source.denormalizerSize > 0 {
            try refuse("denormalizer", "a precompiled_charsmap of \(source.denormalizerSize) bytes")
        }
        if !source.escapesSpaces { try refuse("normalizer", "escape_whitespaces = false") }
    }

    /// The vocabulary of the pieces, which must be distinct and, with byte fallback, include all bytes.
    private static func vocabulary(of source: SentencePieceModel, _ folder: VocabularyFolder) throws -> TokenTable {
        var vocabulary = TokenTable(capacity: source.pieces.count)
        for (id, piece) in source.pieces.enumerated() where !vocabulary.insert(piece.text, id: Int32(id)) {
            let text = String(decoding: piece.text, as: UTF8.self)
            throw TokenizerError.malformed(
                file: folder.name, line: nil, reason: "piece \(id), \"\(text)\", appears twice in the file")
        }
        if source.fallsBackToBytes {
            for byte in UInt8.min...UInt8.max where vocabulary.id(of: ByteFallback.spelling(of: byte)) == nil {
                throw TokenizerError.malformed(
                    file: folder.name, line: nil,
                    reason: "byte_fallback is on, but there is no piece \(ByteFallback.spelling(of: byte))")
            }
        }
        return vocabulary
    }

    /// The text of a piece to which a setting refers by ID.
    private static func name(
        of id: Int32?, _ source: SentencePieceModel, _ key: String, _ folder: VocabularyFolder
    ) throws -> String? {
        guard let id else { return nil }
        guard Int(id) < source.pieces.count else {
            throw TokenizerError.malformed(
                file: folder.name, line: nil,
                reason: "\(key) is \(id), but there are only \(source.pieces.count) pieces")
        }
        return String(decoding: source.pieces[Int(id)].text, as: UTF8.self)
    }

    /// The merges in order: every split of a piece into two other pieces.
    ///
    /// Pieces with higher scores come first. SentencePiece merges pairs of equal score from the left, so that the
    /// symbol merged last grows further. In a merge list, that is a longer left part before a shorter one (all of
    /// LLaMA's runs of spaces have the same score).
    private static func merges(
        of source: SentencePieceModel, _ vocabulary: TokenTable
    ) -> [(left: [UInt8], right: [UInt8])] {
        struct Merge {
            var id: Int
            var cut: Int
            var leftLength: Int
            var rightLength: Int
            var left: Int32
            var right: Int32
        }
        func mergeable(_ text: UnsafeBufferPointer<UInt8>.SubSequence) -> Int32? {
            guard let id = vocabulary.id(of: UnsafeBufferPointer(rebasing: text)) else { return nil }
            let type = source.pieces[Int(id)].type
            return type == .normal || type == .userDefined ? id : nil
        }
        var merges: [Merge] = []
        for (id, piece) in source.pieces.enumerated() where piece.type == .normal || piece.type == .userDefined {
            piece.text.withUnsafeBufferPointer { bytes in
                let length = bytes.count { $0 & 0xC0 != 0x80 }
                var leftLength = 0
                for cut in bytes.indices where bytes[cut] & 0xC0 != 0x80 {
                    if cut > 0, let left = mergeable(bytes[..<cut]), let right = mergeable(bytes[cut...]) {
                        merges.append(
                            Merge(
                                id: id, cut: cut, leftLength: leftLength, rightLength: length - leftLength,
                                left: left, right: right))
                    }
                    leftLength += 1
                }
            }
        }
        merges.sort { first, second in
            let (score, other) = (source.pieces[first.id].score, source.pieces[second.id].score)
            if score != other { return score > other }
            if first.leftLength != second.leftLength { return first.leftLength > second.leftLength }
            if first.rightLength != second.rightLength { return first.rightLength > second.rightLength }
            return (first.id, first.left, first.right) < (second.id, second.left, second.right)
        }
        return merges.map { merge in
            let text = source.pieces[merge.id].text
            return (Array(text[..<merge.cut]), Array(text[merge.cut...]))
        }
    }

    // MARK: The pipeline

    static let space: JSONValue = "\u{2581}"

    /// The normalizer of models without compiled rules: adds a space before the text if `addsSpace` is true, and
    /// replaces spaces by ▁.
    static func normalizer(addsSpace: Bool) -> JSONValue {
        let replace: JSONValue = ["type": "Replace", "pattern": ["String": " "], "content": space]
        let prepend: JSONValue = ["type": "Prepend", "prepend": space]
        return ["type": "Sequence", "normalizers": .array(addsSpace ? [prepend, replace] : [replace])]
    }

    /// The compiled rules as a normalizer; nil if there are none.
    private static func characterMap(of source: SentencePieceModel, _ folder: VocabularyFolder) throws -> JSONValue? {
        if source.characterMap.isEmpty { return nil }
        _ = try PrecompiledMap(source.characterMap) {
            .malformed(file: folder.name, line: nil, reason: "normalizer \(source.normalizerName): \($0)")
        }
        return ["type": "Precompiled", "precompiled_charsmap": .string(Foundation.Data(source.characterMap).base64EncodedString())]
    }

    /// The normalizer that performs what the model's settings ask for.
    private static func normalizer(
        _ source: SentencePieceModel, _ folder: VocabularyFolder, addsSpace: Bool, escapes: Bool
    ) throws -> JSONValue {
        func replace(_ kind: String, _ pattern: String, _ content: JSONValue) -> JSONValue {
            ["type": "Replace", "pattern": [kind: .string(pattern)], "content": content]
        }
        var steps: [JSONValue] = []
        if let map = try characterMap(of: source, folder) { steps.append(map) }
        if source.removesExtraSpaces { steps += [replace("Regex", #"\A +| +\z"#, ""), replace("Regex", " {2,}", " ")] }
        if addsSpace, source.treatsSpaceAsSuffix {
            steps.append(replace("Regex", #"(?<=\O)\z"#, space))
        } else if addsSpace {
            steps.append(["type": "Prepend", "prepend": space])
        }
        if escapes { steps.append(replace("String", " ", space)) }
        return steps.isEmpty ? nil : ["type": "Sequence", "normalizers": .array(steps)]
    }

    /// The pre-tokenizer for non-legacy behaviour.
    private static func metaspace(addsSpace: Bool) -> JSONValue {
        [
            "type": "Metaspace", "replacement": space, "prepend_scheme": addsSpace ? "first" : "never",
            "split": false,
        ]
    }

    /// The decoder; `addsSpace` states whether a space at the start of the text is removed.
    static func decoder(addsSpace: Bool, fallsBackToBytes: Bool) -> JSONValue {
        var elements: [JSONValue] = [["type": "Replace", "pattern": ["String": space], "content": " "]]
        if fallsBackToBytes { elements.append(["type": "ByteFallback"]) }
        elements.append(["type": "Fuse"])
        if addsSpace { elements.append(["type": "Strip", "content": " ", "start": 1, "stop": 0]) }
        return ["type": "Sequence", "decoders": .array(elements)]
    }
}
