/// Byte-pair encoding: splits a word into characters and merges adjacent pairs in the order of the merge list.
///
/// Follows the model "BPE" of Hugging Face `tokenizers`, including its options for unknown characters.
struct BPEModel: Sendable {
    /// The settings besides vocabulary and merges.
    struct Options: Sendable, Equatable {
        /// The token for characters without a token. If nil, such characters are dropped.
        var unknownToken: String?
        /// The prefix of every character of a word except the first (`continuing_subword_prefix`).
        var continuingPrefix: String?
        /// The suffix of the last character of a word (`end_of_word_suffix`).
        var endSuffix: String?
        /// Whether a run of unknown characters becomes one token (`fuse_unk`).
        var fusesUnknown = false
        /// Whether a character without a token becomes the tokens of its bytes, `<0x00>` to `<0xFF>` (`byte_fallback`).
        var fallsBackToBytes = false
        /// Whether a word that is in the vocabulary is used directly, without merging (`ignore_merges`).
        var ignoresMerges = false
    }

    let vocabulary: TokenTable
    let merges: MergeTable
    let options: Options
    private let unknown: Int32?
    /// The IDs of all characters of one or two bytes; -1 if a character has none.
    private let characters: [Int32]
    /// The tokens of single bytes, where the vocabulary has them.
    private let byteTokens: [Int32?]
    /// Where words can be split without changing their tokens; `nil` if that cannot be determined.
    let boundaries: MergeBoundaries?
    /// Notes about the model's files, for the user.
    var notes: [String] = []

    /// Creates a model from its parts. An unknown token that is not in the vocabulary is ignored; see
    /// ``lacksUnknownToken``.
    init(vocabulary: TokenTable, merges: MergeTable, options: Options) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.options = options
        unknown = options.unknownToken.flatMap { vocabulary.id(of: $0) }
        characters = (0..<0x800).map { value in
            var bytes: [UInt8] = []
            bytes.append(scalar: UInt32(value))
            return vocabulary.id(of: bytes) ?? -1
        }
        let byteTokens = (0..<256).map { vocabulary.id(of: ByteFallback.spelling(of: UInt8($0))) }
        self.byteTokens = byteTokens
        // Unknown characters could be fused across a boundary, or dropped, so every character must have a token.
        let knowsEverything = options.fallsBackToBytes && !byteTokens.contains(nil)
        let isPlain = options.continuingPrefix == nil && options.endSuffix == nil && !options.ignoresMerges
        boundaries =
            knowsEverything && isPlain
            ? MergeBoundaries(merges, vocabulary: vocabulary, apartFrom: Set(byteTokens.compactMap { $0 })) : nil
    }

    /// Whether the options name an unknown token that is not in the vocabulary.
    var lacksUnknownToken: Bool { options.unknownToken != nil && unknown == nil }

    /// Whether no text needs the unknown token: all bytes have tokens or, if `spellsBytes` is true, all characters of
    /// the byte-level alphabet have.
    func knowsEveryText(spellsBytes: Bool) -> Bool {
        if options.fallsBackToBytes, !byteTokens.contains(nil) { return true }
        guard spellsBytes, options.continuingPrefix == nil, options.endSuffix == nil else { return false }
        return (UInt8.min...UInt8.max).allSatisfy { vocabulary.id(of: ByteAlphabet.spelled([$0])) != nil }
    }

    /// This model with other options.
    func with(_ options: Options) -> BPEModel {
        var model = BPEModel(vocabulary: vocabulary, merges: merges, options: options)
        model.notes = notes
        return model
    }

    /// Appends the token IDs of one word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, with merger: inout SymbolMerger, to output: inout [Int32]) {
        if word.isEmpty { return }
        if options.ignoresMerges, let id = vocabulary.id(of: word) {
            output.append(id)
            return
        }
        merger.symbols.removeAll(keepingCapacity: true)
        if options.continuingPrefix == nil, options.endSuffix == nil {
            appendCharacters(of: word, to: &merger.symbols)
        } else {
            appendAffixedCharacters(of: word, to: &merger.symbols)
        }
        merger.merge(with: merges)
        output.append(contentsOf: merger.symbols)
    }

    /// Appends the symbols of a word's characters.
    private func appendCharacters(of word: UnsafeBufferPointer<UInt8>, to symbols: inout [Int32]) {
        var pendingUnknown = false
        var position = 0
        while position < word.count {
            let (value, length) = UTF8Scan.scalar(word, position)
            let character = UnsafeBufferPointer(rebasing: word[position..<position + length])
            let id = value < 0x800 ? characters[Int(value)] : vocabulary.id(of: character) ?? -1
            append(id, character, &pendingUnknown, &symbols)
            position += length
        }
        if pendingUnknown, let unknown { symbols.append(unknown) }
    }

    /// Appends the symbols of a word's characters, with the prefixes and the suffix that the options set.
    private func appendAffixedCharacters(of word: UnsafeBufferPointer<UInt8>, to symbols: inout [Int32]) {
        var pendingUnknown = false
        var position = 0
        while position < word.count {
            let length = UTF8Scan.scalar(word, position).length
            var character = position > 0 ? Array((options.continuingPrefix ?? "").utf8) : []
            character.append(contentsOf: word[position..<position + length])
            position += length
            if position == word.count { character.append(contentsOf: (options.endSuffix ?? "").utf8) }
            character.withUnsafeBufferPointer {
                append(vocabulary.id(of: $0) ?? -1, $0, &pendingUnknown, &symbols)
            }
        }
        if pendingUnknown, let unknown { symbols.append(unknown) }
    }

    /// Appends the symbol of a character, the symbols of its bytes, or the unknown token.
    ///
    /// An unknown token is held in `pendingUnknown` until the next known character. Byte tokens do not release it;
    /// Hugging Face `tokenizers` produces the same order.
    @inline(__always)
    private func append(
        _ id: Int32, _ character: UnsafeBufferPointer<UInt8>, _ pendingUnknown: inout Bool, _ symbols: inout [Int32]
    ) {
        if id >= 0 {
            if pendingUnknown, let unknown { symbols.append(unknown) }
            pendingUnknown = false
            symbols.append(id)
            return
        }
        if options.fallsBackToBytes, character.allSatisfy({ byteTokens[Int($0)] != nil }) {
            for byte in character { symbols.append(byteTokens[Int(byte)] ?? -1) }
            return
        }
        guard let unknown else { return }
        if pendingUnknown, !options.fusesUnknown { symbols.append(unknown) }
        pendingUnknown = true
    }
}
