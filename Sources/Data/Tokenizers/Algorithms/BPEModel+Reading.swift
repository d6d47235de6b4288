import Formats

extension BPEModel {
    /// Reads the `model` of a `tokenizer.json`.
    init(_ part: TokenizerPart) throws {
        let dropout = try part["dropout"].map { part in
            guard let share = part.json.double, (0...1).contains(share) else { throw part.fault("expected a number from 0 to 1") }
            return share
        }
        func text(_ key: String) throws -> String? {
            let value = try part[key]?.string()
            return value?.isEmpty == true ? nil : value
        }
        let options = Options(
            unknownToken: try part["unk_token"]?.string(),
            continuingPrefix: try text("continuing_subword_prefix"),
            endSuffix: try text("end_of_word_suffix"),
            fusesUnknown: try part.flag("fuse_unk", default: false),
            fallsBackToBytes: try part.flag("byte_fallback", default: false),
            ignoresMerges: try part.flag("ignore_merges", default: false))
        let (vocabulary, notes) = try TokenTable.read(part.required("vocab"))
        let pairs = try part.required("merges").elements().map { try Self.pair($0) }
        try self.init(
            vocabulary: vocabulary, pairs: pairs, options: options, file: part.file,
            line: { "\(part.path).merges[\($0)]" })
        self.notes += notes
        if let dropout, dropout > 0 {
            self.notes.append(
                "\(part.file): \(part.path).dropout is \(dropout); it is ignored, because it applies to training only")
        }
    }

    /// Builds the model from merges that are given as pairs of tokens.
    ///
    /// - Parameters:
    ///   - vocabulary: The vocabulary.
    ///   - pairs: The merges, in the order of their ranks.
    ///   - options: The model's options.
    ///   - file: The name of the file in errors.
    ///   - line: Describes the location of a merge in errors, by its rank.
    /// - Throws: `TokenizerError.malformed` if a token of a merge is not in the vocabulary.
    init(
        vocabulary: TokenTable, pairs: [(left: [UInt8], right: [UInt8])], options: Options, file: String,
        line: (Int) -> String
    ) throws {
        var merges = MergeTable(capacity: pairs.count)
        let prefix = Array((options.continuingPrefix ?? "").utf8)
        var repeated: Int?
        for (rank, pair) in pairs.enumerated() {
            func fault(_ reason: String) -> TokenizerError {
                .malformed(file: file, line: nil, reason: "\(line(rank)): \(reason)")
            }
            func id(_ token: [UInt8]) throws -> Int32 {
                if let id = vocabulary.id(of: token) { return id }
                throw fault("\"\(String(decoding: token, as: UTF8.self))\" is not in the vocabulary")
            }
            let tail = pair.right.starts(with: prefix) ? pair.right.dropFirst(prefix.count) : pair.right[...]
            let (left, right) = (try id(pair.left), try id(pair.right))
            let merge = MergeTable.Merge(rank: Int32(rank), result: try id(pair.left + tail))
            if !merges.insert(left: left, right: right, merge) { repeated = repeated ?? rank }
        }
        self.init(vocabulary: vocabulary, merges: merges, options: options)
        if let repeated {
            notes.append("\(file): \(line(repeated)): this merge appears twice in the list; the last one is used")
        }
    }

    /// The two tokens of a merge, written as `["a", "b"]` or, in older files, as `"a b"`.
    private static func pair(_ part: TokenizerPart) throws -> (left: [UInt8], right: [UInt8]) {
        if let line = part.json.string {
            if let pair = pair(Array(line.utf8)) { return pair }
        } else if let array = part.json.array, array.count == 2, let left = array[0].string,
            let right = array[1].string
        {
            return (Array(left.utf8), Array(right.utf8))
        }
        throw part.fault("expected two tokens, as [\"a\", \"b\"] or \"a b\"")
    }

    /// The two tokens of a line, separated by its only space; nil for any other line.
    static func pair(_ line: [UInt8]) -> (left: [UInt8], right: [UInt8])? {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (Array(parts[0]), Array(parts[1]))
    }

    /// The merges in the order of their ranks, as in a `tokenizer.json`.
    var mergesJSON: JSONValue {
        func text(_ id: Int32) -> JSONValue {
            .string(String(decoding: vocabulary.bytes(of: id) ?? [], as: UTF8.self))
        }
        return .array(merges.sorted.map { .array([text($0.left), text($0.right)]) })
    }
}

extension TokenTable {
    /// Reads a `vocab` object, which maps tokens to IDs. If several tokens have the same ID, it is decoded to the first
    /// of them.
    ///
    /// - Returns: The vocabulary, and notes about it for the user.
    static func read(_ part: TokenizerPart) throws -> (vocabulary: TokenTable, notes: [String]) {
        guard let members = part.json.members else { throw part.fault("expected an object, found \(part.json.kind)") }
        var vocabulary = TokenTable(capacity: members.count)
        var notes: [String] = []
        for member in members {
            let element = TokenizerPart(json: member.value, file: part.file, path: "\(part.path)[\"\(member.key)\"]")
            guard member.key.utf8.count <= Self.lengthLimit else {
                throw part.fault("a token has \(member.key.utf8.count) bytes; at most \(Self.lengthLimit) are supported")
            }
            let id = try element.tokenID()
            if vocabulary.insert(member.key.utf8, id: id) { continue }
            guard vocabulary.insert(spelling: Array(member.key.utf8), of: id) else {
                throw element.fault("the token appears twice in the vocabulary")
            }
            if notes.isEmpty {
                let first = String(decoding: vocabulary.bytes(of: id) ?? [], as: UTF8.self)
                notes.append("\(element.file): \(element.path): the id \(id) also belongs to \"\(first)\" and is decoded to that")
            }
        }
        return (vocabulary, notes)
    }

    /// The maximum length of a token, in bytes. Longer tokens are rejected, because a decoded text of them could
    /// exhaust memory.
    static let lengthLimit = 1 << 14
}
