import Formats

/// The tokenizer that GGUF calls `llama`: SentencePiece's byte-pair encoding, as in LLaMA, Mistral, Phi 3 and Gemma.
///
/// Two adjacent symbols are merged if together they spell a token, in the order of the tokens' scores. The equivalent
/// merge list contains every split of a token into two other tokens, in that order.
struct GGUFPieces {
    private let source: GGUFTokenizerMetadata
    /// Gemma adds no space before texts, stores its runs of spaces as plain spaces, and merges in the order of IDs.
    private let isGemma: Bool

    init(_ source: GGUFTokenizerMetadata) {
        self.source = source
        isGemma = source.architecture.hasPrefix("gemma")
    }

    /// Builds the tokenizer.
    /// - Throws: `TokenizerError`.
    func tokenizer() throws -> (files: TokenizerFiles, model: TokenModel) {
        let vocabulary = try GGUFTokenizer.vocabulary(of: source) { id, token in isRespelled(id, token) ? Self.marked(token) : nil }
        let roles = roles(vocabulary)
        let unknown = roles[.unknown].map(source.text)
        let fallsBackToBytes = (UInt8.min...UInt8.max).contains { vocabulary.id(of: ByteFallback.spelling(of: $0)) != nil }
        let options = BPEModel.Options(unknownToken: unknown, fusesUnknown: true, fallsBackToBytes: fallsBackToBytes)
        let (merges, notes) = try merges(vocabulary)
        var model = BPEModel(vocabulary: vocabulary, merges: merges, options: options)
        model.notes = notes
        let addsSpace = !isGemma && source.addsSpacePrefix ?? true
        let configuration = GGUFTokenizer.configuration(
            of: source, roles: roles, addsBegin: source.addsBegin ?? true, addsEnd: source.addsEnd ?? false)
        let files = try GGUFTokenizer.folder(source, configuration).files(
            known: addedTokens(), searchesTextAsGiven: true, vocabulary: vocabulary,
            normalizer: SentencePieceFiles.normalizer(addsSpace: addsSpace),
            decoder: SentencePieceFiles.decoder(addsSpace: addsSpace, fallsBackToBytes: fallsBackToBytes),
            model: [
                "type": "BPE", "dropout": nil, "unk_token": unknown.map { .string($0) } ?? .null,
                "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": true,
                "byte_fallback": .bool(fallsBackToBytes), "ignore_merges": false,
            ])
        return (files, .bpe(model))
    }

    /// The IDs of tokens with roles. Roles that the file does not set default to SentencePiece's usual tokens.
    private func roles(_ vocabulary: TokenTable) -> [TransformersSettings.Role: Int32] {
        var roles = source.roles
        for (role, token) in [(TransformersSettings.Role.begin, "<s>"), (.end, "</s>"), (.unknown, "<unk>")] where roles[role] == nil {
            guard let id = vocabulary.id(of: token) else { continue }
            if !source.hasTypes || source.types[Int(id)].isAdded { roles[role] = id }
        }
        return roles
    }

    /// Whether a token's spaces are spelled as ▁ in a `tokenizer.json`.
    private func isRespelled(_ id: Int, _ token: ArraySlice<UInt8>) -> Bool {
        isGemma && source.types[id] == .userDefined && !token.isEmpty && token.allSatisfy { $0 == UInt8(ascii: " ") }
    }

    /// The spelling of a run of spaces as ▁.
    private static func marked(_ token: ArraySlice<UInt8>) -> [UInt8] { Array(token.map { _ in [0xE2, 0x96, 0x81] as [UInt8] }.joined()) }

    private func addedTokens() -> [AddedToken] {
        source.types.indices.compactMap { id in
            let type = source.types[id]
            guard type.isAdded, !isRespelled(id, source.tokens[id]) else { return nil }
            let content = source.text(Int32(id))
            // control tokens of Phi 3 absorb the white space after them
            let strips = source.architecture == "phi3" && type == .control && !Self.keepsSpace.contains(content)
            return AddedToken(id: Int32(id), content: content, stripsRight: strips, isSpecial: type != .userDefined)
        }
    }

    private static let keepsSpace: Set<String> = ["<unk>", "<s>", "<|endoftext|>"]

    // MARK: Merges

    /// The merges that the file lists, or else those implied by the scores.
    private func merges(_ vocabulary: TokenTable) throws -> (table: MergeTable, notes: [String]) {
        if let listed = source.merges { return try GGUFMerges.table(listed, source, vocabulary) }
        if source.scores == nil, !isGemma {
            throw source.fault(GGUFTokenizerMetadata.scoresKey, "the file has neither scores nor merges; one of the two is required")
        }
        // Gemma's scores and IDs have the same order, except for runs of spaces, which come first by ID
        let scores = isGemma ? nil : source.scores
        var pairs = try pairs(vocabulary)
        pairs.sort { first, second in
            if first.result != second.result {
                if let scores {
                    let (score, other) = (scores[Int(first.result)], scores[Int(second.result)])
                    if score != other { return score > other }
                } else {
                    return first.result < second.result
                }
            }
            if first.leftLength != second.leftLength { return first.leftLength > second.leftLength }
            if first.rightLength != second.rightLength { return first.rightLength > second.rightLength }
            return (first.result, first.left, first.right) < (second.result, second.left, second.right)
        }
        var table = MergeTable(capacity: pairs.count)
        for (rank, pair) in pairs.enumerated() {
            _ = table.insert(left: pair.left, right: pair.right, .init(rank: Int32(rank), result: pair.result))
        }
        return (table, [])
    }

    private struct Pair {
        var result: Int32
        var left: Int32
        var right: Int32
        /// The lengths in characters.
        var leftLength: UInt16
        var rightLength: UInt16
    }

    /// Every split of a token into two other tokens.
    private func pairs(_ vocabulary: TokenTable) throws -> [Pair] {
        // control tokens and byte tokens are never the result of a merge
        let merges = source.types.enumerated().map { id, type in
            switch type {
            case .normal, .userDefined: true
            case .undefined: !source.hasTypes && ByteFallback.byte(Array(source.tokens[id])) == nil
            case .unknown, .control, .unused, .byte: false
            }
        }
        // real vocabularies have about two splits per token
        let limit = max(1 << 20, vocabulary.count * 32)
        var pairs: [Pair] = []
        pairs.reserveCapacity(vocabulary.count * 2)
        for id in 0..<Int32(vocabulary.bound) where merges[Int(id)] {
            guard let token = vocabulary.bytes(of: id), token.count <= Self.lengthLimit else { continue }
            guard pairs.count <= limit else {
                throw source.fault(
                    GGUFTokenizerMetadata.tokensKey, "the tokens can be merged in more than \(limit) ways; this is not a valid vocabulary")
            }
            token.withUnsafeBufferPointer { bytes in
                func part(_ range: Range<Int>) -> Int32? {
                    vocabulary.id(of: UnsafeBufferPointer(rebasing: bytes[range])).flatMap { merges[Int($0)] ? $0 : nil }
                }
                let length = bytes.reduce(into: UInt16(0)) { $0 += $1 & 0xC0 == 0x80 ? 0 : 1 }
                var rightLength: UInt16 = 0
                for cut in bytes.indices.reversed() where bytes[cut] & 0xC0 != 0x80 && cut > 0 {
                    rightLength += 1
                    guard let left = part(0..<cut), let right = part(cut..<bytes.count) else { continue }
                    pairs.append(
                        Pair(result: id, left: left, right: right, leftLength: length - rightLength, rightLength: rightLength))
                }
            }
        }
        return pairs
    }

    /// The maximum length of a token that can be merged, in bytes. Finding the splits of a token takes time quadratic
    /// in its length.
    private static let lengthLimit = 512
}
