/// Reads `vocab.txt`: BERT's WordPiece vocabulary, with one token per line.
enum BertFiles {
    /// Builds the tokenizer that Transformers makes of a `vocab.txt` and the folder's settings.
    /// - Throws: `TokenizerError`.
    static func read(
        _ bytes: [UInt8], in contents: FolderContents
    ) throws -> (files: TokenizerFiles, model: TokenModel) {
        var folder = try VocabularyFolder(contents, name: "vocab.txt")
        let vocabulary = try vocabulary(bytes, file: folder.name)
        switch try folder.tokenizerClass(ofModelTypes: classes) {
        case nil, "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "PreTrainedTokenizer":
            break
        case let name?: throw folder.unsupportedClass(name)
        }
        for key in ["do_basic_tokenize"] where try folder.settings.flag(key) == false {
            throw try folder.settings.configuration.required(key).unsupported("false")
        }
        let defaults: [(TransformersSettings.Role, String)] = [
            (.unknown, "[UNK]"), (.separator, "[SEP]"), (.padding, "[PAD]"), (.classification, "[CLS]"),
            (.mask, "[MASK]"),
        ]
        for (role, token) in defaults { folder.setDefault(role, to: token, in: vocabulary) }
        func token(_ role: TransformersSettings.Role) throws -> TemplateJSON.Token {
            guard let token = try folder.settings.token(role), let id = vocabulary.id(of: token.content) else {
                throw folder.settings.configuration.fault("\(role.rawValue) is missing or not in the vocabulary")
            }
            return TemplateJSON.Token(text: token.content, id: id)
        }
        let unknown = try token(.unknown).text
        let model = try WordPieceModel(
            vocabulary: vocabulary, unknownToken: unknown, continuingPrefix: "##", characterLimit: 100,
            file: folder.name)
        let lowercase = try folder.settings.flag("do_lower_case") ?? true
        let files = try folder.files(
            vocabulary: vocabulary,
            normalizer: [
                "type": "BertNormalizer", "clean_text": true,
                "handle_chinese_chars": .bool(try folder.settings.flag("tokenize_chinese_chars") ?? true),
                "strip_accents": try folder.settings.flag("strip_accents").map { .bool($0) } ?? .null,
                "lowercase": .bool(lowercase),
            ],
            preTokenizer: ["type": "BertPreTokenizer"],
            postProcessor: TemplateJSON(
                prefix: [try token(.classification)], suffix: [try token(.separator)], opensSecond: false
            ).json,
            decoder: ["type": "WordPiece", "prefix": "##", "cleanup": true],
            model: [
                "type": "WordPiece", "unk_token": .string(unknown), "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
            ])
        return (files, .wordPiece(model))
    }

    private static let classes = [
        "bert": "BertTokenizer", "distilbert": "DistilBertTokenizer", "electra": "ElectraTokenizer",
    ]

    /// The tokens in the order of lines. Trailing white space is removed; an empty line takes an ID but has no token.
    private static func vocabulary(_ bytes: [UInt8], file: String) throws -> TokenTable {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        guard TokenizerPart.ids.contains(lines.count) else {
            throw TokenizerError.malformed(file: file, line: nil, reason: "there are too many lines (\(lines.count))")
        }
        var vocabulary = TokenTable(capacity: lines.count)
        for (index, line) in lines.enumerated() {
            var token = line
            while let last = token.last, last == 0x20 || (0x09...0x0D).contains(last) { token.removeLast() }
            guard String(validating: token, as: UTF8.self) != nil else {
                throw TokenizerError.malformed(file: file, line: index + 1, reason: "the token is not UTF-8")
            }
            if token.isEmpty { continue }
            guard vocabulary.insert(token, id: Int32(index)) else {
                throw TokenizerError.malformed(
                    file: file, line: index + 1,
                    reason: "\"\(String(decoding: token, as: UTF8.self))\" appears twice in the vocabulary")
            }
        }
        return vocabulary
    }
}
