import Formats

/// The tokenizer part of a GGUF file's metadata, validated: every list has one entry per token, and every ID is in
/// range.
struct GGUFTokenizerMetadata {
    /// The type of a token.
    enum TokenType: Int {
        case undefined
        case normal, unknown, control, userDefined, unused, byte

        /// Whether tokens of this type are matched in the text before any other processing.
        var isAdded: Bool { self == .unknown || self == .control || self == .userDefined }
    }

    /// The name of the file, for errors.
    let file: String
    /// `general.architecture`: the model architecture.
    let architecture: String
    /// `tokenizer.ggml.model`: the kind of tokenizer.
    let model: String
    /// `tokenizer.ggml.pre`: the rules that split texts into words.
    let kind: String?
    /// The tokens in the order of their IDs.
    let tokens: GGUFStrings
    /// The type of each token.
    let types: [TokenType]
    /// Whether the file states the types of tokens.
    let hasTypes: Bool
    /// The score of each token; higher scores are merged earlier.
    let scores: [Float]?
    /// The merges, each two tokens separated by a space.
    let merges: GGUFStrings?
    /// The IDs of the tokens that have a role.
    private(set) var roles: [TransformersSettings.Role: Int32] = [:]
    /// Whether a space is added before every text; nil if not stated.
    let addsSpacePrefix: Bool?
    /// Whether the beginning-of-sequence token is added before every text; nil if not stated.
    let addsBegin: Bool?
    /// Whether the end-of-sequence token is added after every text; nil if not stated.
    let addsEnd: Bool?
    /// The default chat template.
    let chatTemplate: String?
    /// Other chat templates, by name.
    let namedTemplates: [(name: String, template: String)]

    /// Reads and validates the metadata of a file.
    ///
    /// - Throws: `TokenizerError`, naming the file and the key.
    init(_ metadata: [String: GGUFValue], file: String) throws {
        self.file = file
        let reader = GGUFMetadataReader(metadata: metadata, file: file)
        model = try reader.required(reader.text(Self.modelKey), Self.modelKey)
        architecture = try reader.text("general.architecture") ?? ""
        kind = try reader.text("tokenizer.ggml.pre")
        var tokens = try reader.required(reader.texts(Self.tokensKey), Self.tokensKey)
        try Self.check(tokens, reader)
        let count = tokens.count
        var types = try reader.integers(Self.typesKey, count: count)
        hasTypes = types != nil
        var scores = try reader.floats(Self.scoresKey, count: count)
        // converters add filler tokens for unused rows of the embedding
        let known = Self.countWithoutFillers(tokens, types ?? [])
        if known < count {
            tokens = GGUFStrings(tokens.prefix(known))
            types = types.map { Array($0.prefix(known)) }
            scores = scores.map { Array($0.prefix(known)) }
        }
        self.tokens = tokens
        self.types =
            try types.map { numbers in
                try numbers.enumerated().map { id, number in
                    if let type = TokenType(rawValue: number) { return type }
                    throw reader.fault(Self.typesKey, "token \(id) has the unknown type \(number)")
                }
            } ?? Array(repeating: .undefined, count: known)
        self.scores = scores
        if let id = scores?.firstIndex(where: \.isNaN) { throw reader.fault(Self.scoresKey, "the score of token \(id) is NaN") }
        merges = try reader.texts(Self.mergesKey)
        addsSpacePrefix = try reader.flag("tokenizer.ggml.add_space_prefix")
        addsBegin = try reader.flag("tokenizer.ggml.add_bos_token")
        addsEnd = try reader.flag("tokenizer.ggml.add_eos_token")
        chatTemplate = try reader.text("tokenizer.chat_template")
        namedTemplates = try Self.namedTemplates(reader)
        for (role, key) in Self.roleKeys {
            guard let id = try reader.integer(key) else { continue }
            // values that mean "none"
            if id == -1 || id == Int(UInt32.max) { continue }
            guard 0..<known ~= id else { throw reader.fault(key, "it is \(id), but there are only \(known) tokens") }
            guard tokens[id].count <= AddedTokenList.lengthLimit else {
                throw reader.fault(
                    key, "token \(id) has \(tokens[id].count) bytes; at most \(AddedTokenList.lengthLimit) are supported here")
            }
            roles[role] = Int32(id)
        }
    }

    static let modelKey = "tokenizer.ggml.model"
    static let kindKey = "tokenizer.ggml.pre"
    static let tokensKey = "tokenizer.ggml.tokens"
    /// The number of tokens without unused `[PAD<id>]` fillers at the end.
    private static func countWithoutFillers(_ tokens: GGUFStrings, _ types: [Int]) -> Int {
        var count = tokens.count
        while count > 0, types.indices.contains(count - 1), TokenType(rawValue: types[count - 1]) == .unused,
            tokens[count - 1].elementsEqual("[PAD\(count - 1)]".utf8)
        {
            count -= 1
        }
        return count
    }

    static let typesKey = "tokenizer.ggml.token_type"
    static let scoresKey = "tokenizer.ggml.scores"
    static let mergesKey = "tokenizer.ggml.merges"
    private static let templateKey = "tokenizer.chat_template"

    private static let roleKeys: [(role: TransformersSettings.Role, key: String)] = [
        (.begin, "tokenizer.ggml.bos_token_id"), (.end, "tokenizer.ggml.eos_token_id"),
        (.unknown, "tokenizer.ggml.unknown_token_id"), (.padding, "tokenizer.ggml.padding_token_id"),
    ]

    /// Checks the number, the lengths and the encoding of the tokens.
    private static func check(_ tokens: GGUFStrings, _ reader: GGUFMetadataReader) throws {
        if tokens.isEmpty { throw reader.fault(tokensKey, "the list is empty") }
        guard tokens.count <= TokenizerPart.ids.upperBound else {
            throw reader.fault(tokensKey, "there are \(tokens.count) tokens; at most \(TokenizerPart.ids.upperBound) are supported")
        }
        for (id, token) in tokens.enumerated() {
            guard token.count <= TokenTable.lengthLimit else {
                throw reader.fault(tokensKey, "token \(id) has \(token.count) bytes; at most \(TokenTable.lengthLimit) are supported")
            }
            if token.contains(where: { $0 >= 0x80 }), String(validating: token, as: UTF8.self) == nil {
                throw reader.fault(tokensKey, "token \(id) is not UTF-8")
            }
        }
    }

    /// The chat templates with a name, sorted by name.
    private static func namedTemplates(_ reader: GGUFMetadataReader) throws -> [(name: String, template: String)] {
        let prefix = templateKey + "."
        return try reader.metadata.keys.filter { $0.hasPrefix(prefix) }.sorted().map { key in
            (String(key.dropFirst(prefix.count)), try reader.required(reader.text(key), key))
        }
    }

    /// The text of a token.
    func text(_ id: Int32) -> String { String(decoding: tokens[Int(id)], as: UTF8.self) }

    /// An error that names the file and a key.
    func fault(_ key: String, _ reason: String) -> TokenizerError {
        .malformed(file: file, line: nil, reason: "\(key): \(reason)")
    }

    /// The error for an unsupported value of a key.
    func unsupported(_ key: String, _ name: String) -> TokenizerError {
        .unsupported(file: file, part: key, name: name)
    }
}

/// Reads typed values of metadata. A value of another type is an error that names the file and the key.
struct GGUFMetadataReader {
    let metadata: [String: GGUFValue]
    let file: String

    func fault(_ key: String, _ reason: String) -> TokenizerError {
        .malformed(file: file, line: nil, reason: "\(OneLine.escaped(key)): \(reason)")
    }

    func required<Value>(_ value: Value?, _ key: String) throws -> Value {
        if let value { return value }
        throw TokenizerError.malformed(file: file, line: nil, reason: "\(key) is missing, so the file has no tokenizer")
    }

    private func value<Value>(_ key: String, _ wanted: String, _ read: (GGUFValue) -> Value?) throws -> Value? {
        guard let present = metadata[key] else { return nil }
        if let value = read(present) { return value }
        throw fault(key, "expected \(wanted), found \(present.kind)")
    }

    func text(_ key: String) throws -> String? { try value(key, "a UTF-8 string") { $0.string } }
    func flag(_ key: String) throws -> Bool? { try value(key, "true or false") { $0.bool } }
    func integer(_ key: String) throws -> Int? { try value(key, "a whole number") { $0.int } }
    func texts(_ key: String) throws -> GGUFStrings? { try value(key, "an array of strings") { $0.array?.strings } }

    func integers(_ key: String, count: Int) throws -> [Int]? {
        try checked(try value(key, "an array of whole numbers") { $0.array?.integers }, key, count)
    }

    func floats(_ key: String, count: Int) throws -> [Float]? {
        try checked(try value(key, "an array of 32-bit numbers") { $0.array?.floats }, key, count)
    }

    private func checked<Value>(_ values: [Value]?, _ key: String, _ count: Int) throws -> [Value]? {
        if let values, values.count != count {
            throw fault(key, "it has \(Counted(values.count, "value")) for \(Counted(count, "token"))")
        }
        return values
    }
}
