import Formats

/// Reads `vocab.json` and `merges.txt`: byte-level BPE as in GPT-2, OPT, RoBERTa, BART and Qwen 2.
enum ByteLevelFiles {
    /// Builds the tokenizer that Transformers makes of the vocabulary, the merges and the folder's settings.
    /// - Throws: `TokenizerError`.
    static func read(
        _ vocabularyJSON: JSONValue, in contents: FolderContents
    ) throws -> (files: TokenizerFiles, model: TokenModel) {
        var folder = try VocabularyFolder(contents, name: "vocab.json")
        let part = TokenizerPart(json: vocabularyJSON, file: folder.name, path: "")
        let (vocabulary, notes) = try TokenTable.read(part)
        let mergesName = contents.path("merges.txt")
        guard let bytes = try contents.bytes("merges.txt") else {
            throw TokenizerError.unreadable(file: mergesName, reason: "the file is missing, but vocab.json requires it")
        }
        let (pairs, lines) = try merges(bytes, file: mergesName)
        var model = try BPEModel(
            vocabulary: vocabulary, pairs: pairs, options: BPEModel.Options(), file: mergesName,
            line: { "line \(lines[$0])" })
        model.notes += notes

        let name = try folder.tokenizerClass(ofModelTypes: classes)
        var normalizer: JSONValue = nil
        var postProcessor: JSONValue = nil
        let addsSpace = try folder.settings.flag("add_prefix_space") ?? false
        var preTokenizer = byteLevel(addsSpace: addsSpace, usesPattern: true)
        switch name {
        case nil, "GPT2Tokenizer", "PreTrainedTokenizer":
            for role in [TransformersSettings.Role.begin, .end, .unknown] {
                folder.setDefault(role, to: "<|endoftext|>", in: vocabulary)
            }
        case "RobertaTokenizer", "BartTokenizer":
            postProcessor = try robertaPostProcessor(&folder, vocabulary, addsSpace: addsSpace)
        case "Qwen2Tokenizer":
            for role in [TransformersSettings.Role.end, .unknown, .padding] {
                folder.setDefault(role, to: "<|endoftext|>", in: vocabulary)
            }
            normalizer = ["type": "NFC"]
            preTokenizer = [
                "type": "Sequence",
                "pretokenizers": [
                    [
                        "type": "Split", "pattern": ["Regex": .string(qwenPattern)], "behavior": "Isolated",
                        "invert": false,
                    ],
                    byteLevel(addsSpace: addsSpace, usesPattern: false),
                ],
            ]
        case let name?: throw folder.unsupportedClass(name)
        }
        let files = try folder.files(
            vocabulary: vocabulary, normalizer: normalizer, preTokenizer: preTokenizer,
            postProcessor: postProcessor, decoder: byteLevel(addsSpace: true, usesPattern: true),
            model: [
                "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
                "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            ])
        return (files, .bpe(model))
    }

    private static let classes = [
        "gpt2": "GPT2Tokenizer", "opt": "GPT2Tokenizer", "gpt_neo": "GPT2Tokenizer", "gptj": "GPT2Tokenizer",
        "roberta": "RobertaTokenizer", "bart": "BartTokenizer", "qwen2": "Qwen2Tokenizer",
    ]

    /// The regular expression that splits words for Qwen 2.
    static let qwenPattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
        + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#

    /// The regular expression that splits words for Qwen 3.5.
    static let qwen35Pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
        + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#

    /// The JSON of a byte-level pre-tokenizer or decoder.
    static func byteLevel(addsSpace: Bool, usesPattern: Bool) -> JSONValue {
        [
            "type": "ByteLevel", "add_prefix_space": .bool(addsSpace), "trim_offsets": true,
            "use_regex": .bool(usesPattern),
        ]
    }

    /// The JSON of RoBERTa's post-processor, with its special tokens.
    private static func robertaPostProcessor(
        _ folder: inout VocabularyFolder, _ vocabulary: TokenTable, addsSpace: Bool
    ) throws -> JSONValue {
        let defaults: [(TransformersSettings.Role, String)] = [
            (.begin, "<s>"), (.end, "</s>"), (.separator, "</s>"), (.classification, "<s>"), (.unknown, "<unk>"),
            (.padding, "<pad>"), (.mask, "<mask>"),
        ]
        for (role, token) in defaults { folder.setDefault(role, to: token, in: vocabulary) }
        func pair(_ role: TransformersSettings.Role) throws -> JSONValue {
            guard let token = try folder.settings.token(role), let id = vocabulary.id(of: token.content) else {
                throw folder.settings.configuration.fault("\(role.rawValue) is missing or not in the vocabulary")
            }
            return [.string(token.content), .integer(Int(id))]
        }
        return [
            "type": "RobertaProcessing", "sep": try pair(.separator), "cls": try pair(.classification),
            "trim_offsets": true, "add_prefix_space": .bool(addsSpace),
        ]
    }

    /// The merges, and the line number of each.
    private static func merges(
        _ bytes: [UInt8], file: String
    ) throws -> (pairs: [(left: [UInt8], right: [UInt8])], lines: [Int]) {
        var pairs: [(left: [UInt8], right: [UInt8])] = []
        var lines: [Int] = []
        let all = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in all.enumerated() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if line.starts(with: "#version".utf8) || line.isEmpty { continue }
            guard let pair = BPEModel.pair(Array(line)), String(validating: line, as: UTF8.self) != nil else {
                throw TokenizerError.malformed(
                    file: file, line: index + 1, reason: "expected two tokens separated by a space")
            }
            pairs.append(pair)
            lines.append(index + 1)
        }
        return (pairs, lines)
    }
}
