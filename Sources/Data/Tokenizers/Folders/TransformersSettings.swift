import Formats

/// The settings in `tokenizer_config.json` and `special_tokens_map.json`, interpreted as in Transformers.
///
/// Only a key that is absent or null counts as not set. No token or flag is inferred from a value that merely looks
/// empty.
struct TransformersSettings {
    /// The role of a special token.
    enum Role: String, CaseIterable {
        case begin = "bos_token"
        case end = "eos_token"
        case unknown = "unk_token"
        case separator = "sep_token"
        case padding = "pad_token"
        case classification = "cls_token"
        case mask = "mask_token"
    }

    /// The contents of `tokenizer_config.json`.
    let configuration: TokenizerPart
    /// The two files in order of precedence.
    private let parts: [TokenizerPart]

    init(_ files: TokenizerFiles) {
        self.init(configuration: files.configuration, specialTokensMap: files.specialTokensMap)
    }

    init(configuration: JSONValue, specialTokensMap: JSONValue) {
        self.configuration = TokenizerPart(json: configuration, file: "tokenizer_config.json", path: "")
        let map = TokenizerPart(json: specialTokensMap, file: "special_tokens_map.json", path: "")
        // the map is the older format: Transformers reads it, with precedence, only without added_tokens_decoder
        parts = self.configuration["added_tokens_decoder"] == nil ? [map, self.configuration] : [self.configuration, map]
    }

    /// Whether a role is mentioned, even if its value is null.
    func mentions(_ role: Role) -> Bool {
        parts.contains { part in part.json.members?.contains { $0.key == role.rawValue } ?? false }
    }

    /// A flag in `tokenizer_config.json`; `nil` if it is not set.
    func flag(_ key: String) throws -> Bool? {
        try configuration[key]?.bool()
    }

    /// The name of the tokenizer class without `Fast`; nil if none is named.
    func tokenizerClass() throws -> String? {
        try configuration["tokenizer_class"].map { Self.baseName(ofClass: try $0.string()) }
    }

    /// The name of a class without `Fast`.
    static func baseName(ofClass name: String) -> String {
        name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
    }

    /// The token with a role. Its ID is not set.
    func token(_ role: Role) throws -> AddedToken? {
        for part in parts {
            if let named = part[role.rawValue] { return try token(named) }
        }
        return nil
    }

    /// One line for each role for which the two files name different tokens.
    func contradictions() throws -> [String] {
        try Role.allCases.compactMap { role in
            let named = try parts.compactMap { part in try part[role.rawValue].map { (part.file, try token($0).content) } }
            guard let first = named.first, let last = named.last, first.1 != last.1 else { return nil }
            return "\(role.rawValue) is \"\(first.1)\" in \(first.0) and \"\(last.1)\" in \(last.0); the former is used"
        }
    }

    /// The special tokens without a role.
    func otherSpecialTokens() throws -> [AddedToken] {
        var result: [AddedToken] = []
        for key in ["additional_special_tokens", "extra_special_tokens"] {
            guard let list = parts.lazy.compactMap({ $0[key] }).first else { continue }
            if let members = list.json.members {
                // An object that names each token.
                for member in members {
                    let part = TokenizerPart(
                        json: member.value, file: list.file, path: "\(list.path).\(member.key)")
                    result.append(try token(part))
                }
            } else {
                result += try list.elements().map { try token($0) }
            }
        }
        // `image_token` and similar keys are roles of specific models
        let roles = Set(Role.allCases.map(\.rawValue))
        for member in configuration.json.members ?? [] where member.key.hasSuffix("_token") && !roles.contains(member.key) {
            if member.value.string != nil || member.value["content"]?.string != nil, let part = configuration[member.key] {
                result.append(try token(part))
            }
        }
        return result
    }

    /// The tokens of `added_tokens_decoder`: `{"32000": {"content": "<pad>", …}}`.
    func addedTokens() throws -> [AddedToken] {
        guard let decoder = configuration["added_tokens_decoder"] else { return [] }
        guard let members = decoder.json.members else {
            throw decoder.fault("expected an object, found \(decoder.json.kind)")
        }
        return try members.map { member in
            let part = TokenizerPart(
                json: member.value, file: decoder.file, path: "\(decoder.path)[\"\(member.key)\"]")
            guard let id = Int32(member.key), TokenizerPart.ids.contains(Int(id)) else {
                throw part.fault("the key is not a token id")
            }
            let isSpecial = try part.flag("special", default: false)
            return try AddedToken(part, id: id, isSpecial: isSpecial, isNormalizedByDefault: !isSpecial)
        }
    }

    /// A special token, given as a string or as an object with flags.
    ///
    /// The default of `normalized` is as in Transformers: false in `special_tokens_map.json`; in
    /// `tokenizer_config.json` true, unless the token's own `special` flag is set.
    private func token(_ part: TokenizerPart) throws -> AddedToken {
        if let content = part.json.string { return AddedToken(id: -1, content: content, isSpecial: true) }
        guard part.json.members != nil else { throw part.fault("expected a string, or an object with content, found \(part.json.kind)") }
        let isSpecial = try part.file != configuration.file || part.flag("special", default: false)
        return try AddedToken(part, id: -1, isSpecial: true, isNormalizedByDefault: !isSpecial)
    }
}

extension AddedToken {
    /// Reads a token with its flags.
    ///
    /// - Parameters:
    ///   - part: The object.
    ///   - id: The token's ID.
    ///   - isSpecial: Whether the token is special.
    ///   - isNormalizedByDefault: The default of `normalized`: whether the token is matched in normalised text.
    init(_ part: TokenizerPart, id: Int32, isSpecial: Bool, isNormalizedByDefault: Bool) throws {
        self.init(
            id: id, content: try part.required("content").string(),
            isSingleWord: try part.flag("single_word", default: false),
            stripsLeft: try part.flag("lstrip", default: false),
            stripsRight: try part.flag("rstrip", default: false),
            isNormalized: try part.flag("normalized", default: isNormalizedByDefault), isSpecial: isSpecial)
    }

    /// The token as in a `tokenizer.json`.
    var json: JSONValue {
        [
            "id": .integer(Int(id)), "content": .string(content), "single_word": .bool(isSingleWord),
            "lstrip": .bool(stripsLeft), "rstrip": .bool(stripsRight), "normalized": .bool(isNormalized),
            "special": .bool(isSpecial),
        ]
    }
}
