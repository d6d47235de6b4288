/// How much longer a text can become on its way through a pipeline.
///
/// A file of 12 KB can ask for twelve replacements that make ten letters of one, one after the other. The bytes that one byte can become are
/// therefore counted before any text is read, step by step from the last to the first: a replacement of `a` by `bb` makes of each `a` twice
/// what the later steps make of a `b`. Replacements that do not feed each other do not add up.
struct TextGrowth {
    /// The bytes that the later steps can make of each byte.
    private var sizes = [Double](repeating: 1, count: 256)
    private var greatest: Double { sizes.max() ?? 1 }

    /// More than this no byte may become. LLaMA's pipelines make 12 of a space, and NFKC at most 11 of a byte.
    private static let limit = 1000.0
    /// More steps than this a pipeline may not have: each costs a walk through every text.
    private static let stepLimit = 1000

    /// Checks normalizer, pre-tokenizer and decoder of a tokenizer.json.
    ///
    /// - Throws: `TokenizerError.malformed`, naming the step from which on a byte may become too many.
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

    private static func check(_ steps: [TokenizerPart], _ precede: (inout TextGrowth, TokenizerPart) throws -> Void) throws {
        if let last = steps.last, steps.count > stepLimit {
            throw last.fault("step \(steps.count) of a pipeline that may have \(stepLimit)")
        }
        var growth = TextGrowth()
        for step in steps.reversed() {
            try precede(&growth, step)
            if growth.greatest > limit {
                throw step.fault(
                    "this step and those behind it can make \(growth.greatest > 1e15 ? "more than 10^15" : String(Int(growth.greatest))) "
                        + "bytes of one; at most \(Int(limit)) are supported")
            }
        }
    }

    /// The steps of a part from the first to the last, those of sequences in sequences, too.
    private static func steps(of part: TokenizerPart, _ key: String) throws -> [TokenizerPart] {
        guard part.json["type"]?.string == "Sequence" else { return [part] }
        return try part.required(key).elements().flatMap { try steps(of: $0, key) }
    }

    // MARK: Steps

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

    /// Every match makes of the pattern's bytes together what becomes of the content.
    private mutating func replace(_ pattern: TextPattern, by content: [UInt8]) {
        guard case .expression(let expression) = pattern else {
            if case .text(let bytes) = pattern { replace(bytes, by: content) }
            return
        }
        let size = sizes(of: content)
        for byte in sizes.indices { sizes[byte] = max(sizes[byte], size) }
        if expression.canMatchNothing { add(size) }
    }

    /// Every match makes of the text's bytes together what becomes of the content.
    private mutating func replace(_ pattern: [UInt8], by content: [UInt8]) {
        let share = sizes(of: content) / Double(max(1, pattern.count))
        for byte in Set(pattern) { sizes[Int(byte)] = max(sizes[Int(byte)], share) }
    }

    /// Something is put before each piece, and a piece may be one byte.
    private mutating func add(_ size: Double) {
        for byte in sizes.indices { sizes[byte] += size }
    }

    /// Characters beyond ASCII may become any others, so many times as long; upper case may become lower case.
    private mutating func grow(by factor: Double) {
        let most = greatest * factor
        for byte in 0x80...0xFF { sizes[byte] = most }
        for byte in 0x41...0x5A { sizes[byte] = max(sizes[byte], sizes[byte | 0x20]) }
    }

    private mutating func spell() {
        sizes = (0...255).map { sizes(of: ByteAlphabet.spelled([UInt8($0)])) }
    }

    private func sizes(of bytes: [UInt8]) -> Double {
        bytes.reduce(0) { $0 + sizes[Int($1)] }
    }
}
