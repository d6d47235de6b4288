extension BPEModel {
    /// Reads the `model` of a tokenizer.json.
    init(_ part: TokenizerPart) throws {
        if let dropout = part["dropout"] {
            switch dropout.json {
            case .integer(0), .number(0): break
            default: throw dropout.unsupported("a dropout of merges")
            }
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
        let vocabulary = try TokenTable(part.required("vocab"))
        let pairs = try part.required("merges").elements().map { try Self.pair($0) }
        try self.init(
            vocabulary: vocabulary, pairs: pairs, options: options, file: part.file,
            line: { "\(part.path).merges[\($0)]" })
    }

    /// Builds the model from merges that are spelled as pairs of tokens.
    ///
    /// - Parameter line: Names the place of a merge in errors.
    init(
        vocabulary: TokenTable, pairs: [(left: [UInt8], right: [UInt8])], options: Options, file: String,
        line: (Int) -> String
    ) throws {
        var merges = MergeTable(capacity: pairs.count)
        let prefix = Array((options.continuingPrefix ?? "").utf8)
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
            guard merges.insert(left: left, right: right, merge) else {
                throw fault("this merge stands earlier in the list already")
            }
        }
        try self.init(vocabulary: vocabulary, merges: merges, options: options, file: file)
    }

    /// The two tokens of a merge, written `["a", "b"]` or, in older files, `"a b"`.
    private static func pair(_ part: TokenizerPart) throws -> (left: [UInt8], right: [UInt8]) {
        if let line = part.json.string {
            if let pair = pair(Array(line.utf8)) { return pair }
        } else if let array = part.json.array, array.count == 2, let left = array[0].string,
            let right = array[1].string
        {
            return (Array(left.utf8), Array(right.utf8))
        }
        throw part.fault("expected two tokens")
    }

    /// The two tokens of a line, parted by its only space.
    static func pair(_ line: [UInt8]) -> (left: [UInt8], right: [UInt8])? {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (Array(parts[0]), Array(parts[1]))
    }

    /// The merges in the order of ranks, as they stand in a tokenizer.json.
    var mergesJSON: OrderedJSON {
        func text(_ id: Int32) -> OrderedJSON {
            .string(String(decoding: vocabulary.bytes(of: id) ?? [], as: UTF8.self))
        }
        return .array(merges.sorted.map { .array([text($0.left), text($0.right)]) })
    }
}

extension TokenTable {
    /// Reads a `vocab` object: token → id.
    init(_ part: TokenizerPart) throws {
        guard let members = part.json.members else { throw part.fault("expected an object, found \(part.json.kind)") }
        self.init(capacity: members.count)
        for member in members {
            let element = TokenizerPart(json: member.value, file: part.file, path: "\(part.path)[\"\(member.key)\"]")
            guard insert(member.key.utf8, id: try element.tokenID()) else {
                throw element.fault("the token or its id stands twice in the vocabulary")
            }
        }
    }
}
