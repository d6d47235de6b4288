/// The added tokens that a tokenizer's files name, each with an id that belongs to it alone.
///
/// Files contradict each other and themselves. What Transformers makes of it counts here, and is noted: the vocabulary's id
/// before any other, the flags of tokenizer_config.json before those of tokenizer.json, the role of a token before its flag.
struct AddedTokenList {
    private(set) var tokens: [AddedToken] = []
    /// One line for each contradiction.
    private(set) var notes: [String] = []
    private var indices: [[UInt8]: Int] = [:]
    private var taken: Set<Int32> = []
    private let vocabulary: TokenTable
    private var greatest: Int32 = -1

    init(beside vocabulary: TokenTable) {
        self.vocabulary = vocabulary
    }

    /// The tokens of `added_tokens` in tokenizer.json, then those that only `added_tokens_decoder` has, then special
    /// tokens that only have a role.
    ///
    /// - Throws: `TokenizerError.malformed` for what is no token.
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
        // what a vocabulary file's reader put together is complete
        if !files.hasFinalTokens { try add(settings.addedTokens(), settings.configuration) }
        try add(settings)
    }

    /// Adds the special tokens that the settings name; those that are here already become special.
    mutating func add(_ settings: TransformersSettings) throws {
        for role in TransformersSettings.Role.allCases {
            if let token = try settings.token(role) { try addSpecial(token, role.rawValue, settings.configuration) }
        }
        for token in try settings.otherSpecialTokens() { try addSpecial(token, "a special token", settings.configuration) }
    }

    /// Adds tokens with their ids.
    mutating func add(_ tokens: [AddedToken], _ part: TokenizerPart) throws {
        for token in tokens { try add(token, part) }
    }

    /// The token of a text, if it is here.
    func token(_ content: String) -> AddedToken? {
        indices[Array(content.utf8)].map { tokens[$0] }
    }

    /// Adds a token with an id. One that is here already keeps its id and takes the new flags; it stays special once it was.
    mutating func add(_ token: AddedToken, _ part: TokenizerPart) throws {
        let bytes = Array(token.content.utf8)
        if bytes.isEmpty { return }
        guard bytes.count <= Self.lengthLimit else {
            throw part.fault("an added token of \(bytes.count) bytes; at most \(Self.lengthLimit) are supported")
        }
        guard let index = indices[bytes] else {
            try append(token, bytes, part)
            return
        }
        let old = tokens[index]
        if token.id != old.id {
            note(part, "\"\(token.content)\" has id \(token.id) here; its id \(old.id) counts")
        }
        var new = token
        new.id = old.id
        if new == old { return }
        let flags = Self.differences(old, new)
        note(part, "\(flags.joined(separator: ", ")) of \"\(token.content)\" here; other places say otherwise, this one counts")
        new.isSpecial = old.isSpecial || new.isSpecial
        tokens[index] = new
    }

    private mutating func append(_ token: AddedToken, _ bytes: [UInt8], _ part: TokenizerPart) throws {
        var token = token
        let given = token.id
        if let id = vocabulary.id(of: bytes) {
            token.id = id
            if given >= 0, given != id { note(part, "\"\(token.content)\" has id \(given) here; its id \(id) of the vocabulary counts") }
        } else {
            // the next free one, whatever the file says, as in the reference
            let entries = vocabulary.entryCount
            var next = Int32(Int(greatest) >= entries ? Int(greatest) + 1 : entries)
            if taken.contains(next) || vocabulary.bytes(of: next) != nil { next = Int32(max(vocabulary.bound, Int(greatest) + 1)) }
            guard TokenizerPart.ids.contains(Int(next)) else { throw part.fault("no id is left for \"\(token.content)\"") }
            token.id = next
            if given >= 0, given != next {
                let isTaken = taken.contains(given) || vocabulary.bytes(of: given) != nil
                let reason = isTaken ? "which is another token's" : "which leaves ids out"
                note(part, "\"\(token.content)\" has id \(given) here, \(reason); it becomes \(next)")
            }
        }
        indices[bytes] = tokens.count
        taken.insert(token.id)
        greatest = max(greatest, token.id)
        tokens.append(token)
    }

    /// Makes a token special because of what it is for; one that has no id gets one behind all others, as in Transformers.
    private mutating func addSpecial(_ token: AddedToken, _ name: String, _ part: TokenizerPart) throws {
        if token.content.isEmpty { return }
        guard let index = indices[Array(token.content.utf8)] else {
            var token = token
            token.id = -1
            try add(token, part)
            if vocabulary.id(of: token.content) == nil {
                note(part, "\(name) \"\(token.content)\" has no id in the files; it becomes \(tokens.last?.id ?? 0)")
            }
            return
        }
        if !tokens[index].isSpecial {
            tokens[index].isSpecial = true
            note(part, "\(name) \"\(token.content)\" is special, although its flag says that it is not")
        }
    }

    private mutating func note(_ part: TokenizerPart, _ text: String) {
        let note = (part.path.isEmpty ? part.file : "\(part.file): \(part.path)") + ": " + text
        // hostile files contradict themselves without end
        if notes.count < Self.noteLimit { notes.append(note) }
    }

    private static func differences(_ old: AddedToken, _ new: AddedToken) -> [String] {
        [
            ("single_word", old.isSingleWord, new.isSingleWord), ("lstrip", old.stripsLeft, new.stripsLeft),
            ("rstrip", old.stripsRight, new.stripsRight), ("normalized", old.isNormalized, new.isNormalized),
            ("special", old.isSpecial, new.isSpecial),
        ].filter { $0.1 != $0.2 }.map { "\($0.0) is \($0.2)" }
    }

    /// Longer tokens are refused: a search walks along a token at every place of a text.
    static let lengthLimit = 1024
    private static let noteLimit = 20
}
