/// Bounds how much a text can grow in a pipeline.
///
/// A file of 12 KB could contain twelve replacements in a row that each turn one letter into ten. Therefore the number
/// of bytes that each byte can become is computed before any text is processed, from the last step to the first: if a
/// step replaces `a` by `bb`, an `a` counts twice what the later steps make of a `b`. Replacements that do not feed
/// into each other do not multiply.
struct TextGrowth {
    /// The maximum number of bytes that the later steps make of each byte.
    private var sizes = [Double](repeating: 1, count: 256)
    private var greatest: Double { sizes.max() ?? 1 }

    /// The maximum number of bytes that one byte may become. LLaMA's pipelines make 12 of a space, and NFKC makes at
    /// most 11 of a byte.
    private static let limit = 1000.0
    /// The maximum number of steps of a pipeline. Each step is a pass over every text.
    private static let stepLimit = 1000

    /// Checks the normalizer, the pre-tokenizer and the decoder of a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError.malformed`, naming the step at which the limit is exceeded.
    static func check(_ root: TokenizerPart) throws {
        let normalizers = try root["normalizer"].map { try steps(of: $0, "normalizers") } ?? []
        let splits = try root["pre_tokenizer"].map { try steps(of: $0, "pretokenizers") } ?? []
        let decoders = try root["decoder"].map { try steps(of: $0, "decoders") } ?? []
        try check(normalizers + splits) { growth, part in
            if part.path.hasPrefix("normalizer") {
                growth.precede(try Normalizer(part))
            } else {
                growth.precede(try PreTokenizer(part))
            }
        }
        try check(decoders) { growth, part in growth.precede(try TokenDecoder(part)) }
    }

    /// Checks steps; `precede` adds a step before the ones so far.
    private static func check(_ steps: [TokenizerPart], _ precede: (inout TextGrowth, TokenizerPart) throws -> Void) throws {
        if let last = steps.last, steps.count > stepLimit {
            throw last.fault("the pipeline has \(steps.count) steps; at most \(stepLimit) are supported")
        }
        var growth = TextGrowth()
        for step in steps.reversed() {
            try precede(&growth, step)
            if growth.greatest > limit {
                throw step.fault(
                    "this and later steps can make \(growth.greatest > 1e15 ? "more than 10^15" : String(Int(growth.greatest))) "
                        + "bytes of one byte; at most \(Int(limit)) are supported")
            }
        }
    }

    /// The steps of a part in order, with nested sequences flattened.
    private static func steps(of part: TokenizerPart, _ key: String) throws -> [TokenizerPart] {
        guard part.json["type"]?.string == "Sequence" else { return [part] }
        return try part.required(key).elements().flatMap { try steps(of: $0, key) }
    }

    // MARK: Steps

    /// Adds a normalizer before the steps so far.
    private mutating func precede(_ step: Normalizer) {
        switch step {
        case .unicode(.composed): grow(by: 3)
        case .unicode(.decomposed): grow(by: 3)
        case .unicode: grow(by: 11)
        case .lowercase: grow(by: 1.5)
        case .stripAccents, .strip: break
        case .bert: grow(by: 7.5)
        case .prepend(let text): add(sizes(of: text))
        case .replace(let pattern, let content): replace(pattern, by: content)
        case .byteLevel: spell()
        case .precompiled(let map):
            let later = self
            map.forEachRule { key, text in
                let share = later.sizes(of: Array(text)) / Double(key.count)
                for byte in key { sizes[Int(byte)] = max(sizes[Int(byte)], share) }
            }
        case .nmt: for byte in sizes.indices { sizes[byte] = max(sizes[byte], sizes[0x20]) }
        case .sequence(let steps): for step in steps.reversed() { precede(step) }
        }
    }

    /// Adds a pre-tokenizer before the steps so far.
    private mutating func precede(_ step: PreTokenizer) {
        switch step {
        case .byteLevel(let addsSpace, _):
            spell()
            if addsSpace { add(sizes[0x20]) }
        case .metaspace(let metaspace):
            replace([0x20], by: metaspace.replacement)
            if metaspace.prependScheme != .never { add(sizes(of: metaspace.replacement)) }
        case .whitespace, .whitespaceSplit, .bert, .digits, .punctuation, .split, .scripts, .fixedLength: break
        case .sequence(let steps): for step in steps.reversed() { precede(step) }
        }
    }

    /// Adds a decoder before the steps so far.
    private mutating func precede(_ step: TokenDecoder) {
        switch step {
        case .byteLevel, .byteFallback, .fuse, .strip: break
        case .metaspace(let metaspace): replace(metaspace.replacement, by: [0x20])
        case .wordPiece: add(sizes[0x20])
        case .replace(let pattern, let content): replace(pattern, by: content)
        case .bpe(let suffix): replace(suffix, by: [0x20])
        case .ctc(_, let delimiter, _): replace(delimiter, by: [0x20])
        case .sequence(let steps): for step in steps.reversed() { precede(step) }
        }
    }

    /// A replacement: the bytes of a match together become what the content becomes.
    private mutating func replace(_ pattern: TextPattern, by content: [UInt8]) {
        guard case .expression(let expression) = pattern else {
            if case .text(let bytes) = pattern { replace(bytes, by: content) }
            return
        }
        let size = sizes(of: content)
        for byte in sizes.indices { sizes[byte] = max(sizes[byte], size) }
        if expression.canMatchNothing { add(size) }
    }

    /// A replacement of a fixed text: its bytes together become what the content becomes.
    private mutating func replace(_ pattern: [UInt8], by content: [UInt8]) {
        let share = sizes(of: content) / Double(max(1, pattern.count))
        for byte in Set(pattern) { sizes[Int(byte)] = max(sizes[Int(byte)], share) }
    }

    /// An insertion of `size` bytes before each piece, which may be as short as one byte.
    private mutating func add(_ size: Double) {
        for byte in sizes.indices { sizes[byte] += size }
    }

    /// Unicode normalisation or case mapping: a non-ASCII character may become any others and grow by a factor; upper
    /// case may become lower case.
    private mutating func grow(by factor: Double) {
        let most = greatest * factor
        for byte in 0x80...0xFF { sizes[byte] = most }
        for byte in 0x41...0x5A { sizes[byte] = max(sizes[byte], sizes[byte | 0x20]) }
    }

    /// Spelling in the byte-level alphabet.
    private mutating func spell() {
        sizes = (0...255).map { sizes(of: ByteAlphabet.spelled([UInt8($0)])) }
    }

    /// The number of bytes that a text becomes.
    private func sizes(of bytes: [UInt8]) -> Double {
        bytes.reduce(0) { $0 + sizes[Int($1)] }
    }
}
