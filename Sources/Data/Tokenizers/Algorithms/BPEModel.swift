/// Byte-pair encoding: a word's characters, merged pair by pair in the order of the merges.
///
/// Follows the model "BPE" of Hugging Face tokenizers, with its options for unknown characters.
struct BPEModel: Sendable {
    /// The settings that stand beside vocabulary and merges.
    struct Options: Sendable, Equatable {
        /// The token for characters without one; characters are dropped if there is none.
        var unknownToken: String?
        /// Put before every character of a word but the first.
        var continuingPrefix: String?
        /// Put behind the last character of a word.
        var endSuffix: String?
        /// Whether a run of unknown characters is one token.
        var fusesUnknown = false
        /// Whether a character without a token becomes the tokens `<0x00>` … `<0xFF>` of its bytes.
        var fallsBackToBytes = false
        /// Whether a word that is a token is taken as it is.
        var ignoresMerges = false
    }

    let vocabulary: TokenTable
    let merges: MergeTable
    let options: Options
    private let unknown: Int32?
    /// The id of every one- and two-byte character; -1 if it has none.
    private let characters: [Int32]
    /// The tokens of bytes, where there are any.
    private let byteTokens: [Int32?]
    /// Where words can be cut without changing their tokens; `nil` if that is not known.
    let boundaries: MergeBoundaries?
    /// What people should know of the files that the model came from.
    var notes: [String] = []

    /// A model from its parts. An unknown token that is not in the vocabulary is none; see ``lacksUnknownToken``.
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
        // Unknown characters may be fused across a cut, or dropped, so every character must have a token.
        let knowsEverything = options.fallsBackToBytes && !byteTokens.contains(nil)
        let isPlain = options.continuingPrefix == nil && options.endSuffix == nil && !options.ignoresMerges
        boundaries =
            knowsEverything && isPlain
            ? MergeBoundaries(merges, vocabulary: vocabulary, apartFrom: Set(byteTokens.compactMap { $0 })) : nil
    }

    /// Whether the options name an unknown token that has no id.
    var lacksUnknownToken: Bool { options.unknownToken != nil && unknown == nil }

    /// Whether no text needs an unknown token: each byte has a token, or, where `spellsBytes`, each character of the byte alphabet.
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

    /// Appends the ids of one word.
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

    /// Appends a character's symbol, its bytes' symbols, or the unknown one.
    ///
    /// An unknown token waits in `pendingUnknown` until the next known character. Bytes do not release it, which
    /// is how the reference orders them.
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
