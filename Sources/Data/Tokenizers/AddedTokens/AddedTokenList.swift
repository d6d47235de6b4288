/// The added tokens that a tokenizer's files define, each with a unique ID.
///
/// Contradictory files are resolved as in Transformers, with a note for each contradiction: the vocabulary's ID takes
/// precedence over any other, flags in `tokenizer_config.json` over those in `tokenizer.json`, and a token's role over
/// its `special` flag.
struct AddedTokenList {
    private(set) var tokens: [AddedToken] = []
    /// One line for each contradiction, for the user.
    private(set) var notes: [String] = []
    private var indices: [[UInt8]: Int] = [:]
    private var taken: Set<Int32> = []
    private let vocabulary: TokenTable
    private var greatest: Int32 = -1

    init(beside vocabulary: TokenTable) {
        self.vocabulary = vocabulary
    }

    /// Collects the tokens of `added_tokens` in `tokenizer.json`, then those that only `added_tokens_decoder` has, then
    /// special tokens that only have a role.
    ///
    /// - Throws: `TokenizerError.malformed` for an invalid token.
    init(_ files: TokenizerFiles, beside vocabulary: TokenTable) throws {
        self.init(beside: vocabulary)
        let settings = TransformersSettings(files)
        let root = TokenizerPart(json: files.pipeline, file: files.pipelineName, path: "")
        for part in try root["added_tokens"]?.elements() ?? [] {
            let isSpecial = try part.flag("special", default: false)
            let token = try AddedToken(
                part, id: part.required("id").tokenID(), isSpecial: isSpecial, isNormalizedByDefault: true)
            try add(token, part)
        }
        // the list that a vocabulary file's reader made is already complete
        if !files.hasFinalTokens { try add(settings.addedTokens(), settings.configuration) }
        try add(settings)
    }

    /// Adds the special tokens that the settings name. Tokens that are already in the list become special.
    mutating func add(_ settings: TransformersSettings) throws {
        for role in TransformersSettings.Role.allCases {
            if let token = try settings.token(role) { try addSpecial(token, role.rawValue, settings.configuration) }
        }
        for token in try settings.otherSpecialTokens() { try addSpecial(token, "a special token", settings.configuration) }
    }

    /// Adds tokens with their IDs.
    mutating func add(_ tokens: [AddedToken], _ part: TokenizerPart) throws {
        for token in tokens { try add(token, part) }
    }

    /// The token with the given text, if it is in the list.
    func token(_ content: String) -> AddedToken? {
        indices[Array(content.utf8)].map { tokens[$0] }
    }

    /// Adds a token with its ID. A token that is already in the list keeps its ID and gets the new flags, but stays
    /// special if it was.
    mutating func add(_ token: AddedToken, _ part: TokenizerPart) throws {
        let bytes = Array(token.content.utf8)
        if bytes.isEmpty { return }
        guard bytes.count <= Self.lengthLimit else {
            throw part.fault("an added token has \(bytes.count) bytes; at most \(Self.lengthLimit) are supported")
        }
        guard let index = indices[bytes] else {
            try append(token, bytes, part)
            return
        }
        let old = tokens[index]
        if token.id != old.id {
            note(part, "\"\(token.content)\" has id \(token.id) here; using its other id \(old.id)")
        }
        var new = token
        new.id = old.id
        if new == old { return }
        let flags = Self.differences(old, new)
        note(part, "\(flags.joined(separator: ", ")) for \"\(token.content)\" here; this takes precedence over other places")
        new.isSpecial = old.isSpecial || new.isSpecial
        tokens[index] = new
    }

    /// Appends a new token. Its ID is the vocabulary's, or else the next free one.
    private mutating func append(_ token: AddedToken, _ bytes: [UInt8], _ part: TokenizerPart) throws {
        var token = token
        let given = token.id
        if let id = vocabulary.id(of: bytes) {
            token.id = id
            if given >= 0, given != id { note(part, "\"\(token.content)\" has id \(given) here; using its id \(id) from the vocabulary") }
        } else {
            // the next free ID, regardless of the ID in the file, as in Transformers
            let entries = vocabulary.entryCount
            var next = Int32(Int(greatest) >= entries ? Int(greatest) + 1 : entries)
            if taken.contains(next) || vocabulary.bytes(of: next) != nil { next = Int32(max(vocabulary.bound, Int(greatest) + 1)) }
            guard TokenizerPart.ids.contains(Int(next)) else { throw part.fault("there is no free id for \"\(token.content)\"") }
            token.id = next
            if given >= 0, given != next {
                let isTaken = taken.contains(given) || vocabulary.bytes(of: given) != nil
                let reason = isTaken ? "which another token has" : "which would leave a gap"
                note(part, "\"\(token.content)\" has id \(given) here, \(reason); using id \(next)")
            }
        }
        indices[bytes] = tokens.count
        taken.insert(token.id)
        greatest = max(greatest, token.id)
        tokens.append(token)
    }

    /// Marks a token as special because of its role. A token without an ID gets the next free one, as in Transformers.
    private mutating func addSpecial(_ token: AddedToken, _ name: String, _ part: TokenizerPart) throws {
        if token.content.isEmpty { return }
        guard let index = indices[Array(token.content.utf8)] else {
            var token = token
            token.id = -1
            try add(token, part)
            if vocabulary.id(of: token.content) == nil {
                note(part, "\(name) \"\(token.content)\" has no id in the files; using id \(tokens.last?.id ?? 0)")
            }
            return
        }
        if !tokens[index].isSpecial {
            tokens[index].isSpecial = true
            note(part, "\(name) \"\(token.content)\" is treated as special, although its flag says that it is not")
        }
    }

    /// Adds a note about a part of a file.
    private mutating func note(_ part: TokenizerPart, _ text: String) {
        let note = (part.path.isEmpty ? part.file : "\(part.file): \(part.path)") + ": " + text
        // limited, because malicious files could contain any number of contradictions
        if notes.count < Self.noteLimit { notes.append(note) }
    }

    /// The flags that differ, with their new values.
    private static func differences(_ old: AddedToken, _ new: AddedToken) -> [String] {
        [
            ("single_word", old.isSingleWord, new.isSingleWord), ("lstrip", old.stripsLeft, new.stripsLeft),
            ("rstrip", old.stripsRight, new.stripsRight), ("normalized", old.isNormalized, new.isNormalized),
            ("special", old.isSpecial, new.isSpecial),
        ].filter { $0.1 != $0.2 }.map { "\($0.0) is \($0.2)" }
    }

    /// The maximum length of an added token, in bytes. The search may follow a token from every position of a text, so
    /// its cost grows with this length.
    static let lengthLimit = 1024
    private static let noteLimit = 20
}
