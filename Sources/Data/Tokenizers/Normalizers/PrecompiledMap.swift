import Foundation

/// SentencePiece's precompiled replacement rules (`precompiled_charsmap`).
///
/// The rules are a double-array trie whose values are offsets into a list of zero-terminated texts. As in Hugging Face
/// `tokenizers`, a grapheme of fewer than six bytes is replaced as a whole by the replacement of its *shortest* prefix
/// that has one; all other text is replaced character by character.
struct PrecompiledMap: Sendable, Equatable {
    private let units: [UInt32]
    private let texts: [UInt8]
    /// The replacements of single ASCII characters; nil for those that do not change.
    private let ascii: [[UInt8]?]
    /// The rules as stored in the file.
    let bytes: [UInt8]

    /// The maximum size of the rules, in bytes. Those of NFKC have 240 KB.
    private static let sizeLimit = 16 << 20

    /// Parses the rules: the trie's size in bytes, the trie, and the texts.
    ///
    /// - Parameters:
    ///   - bytes: The rules.
    ///   - fault: Makes the error for a reason.
    init(_ bytes: [UInt8], fault: (String) -> TokenizerError) throws {
        guard bytes.count <= Self.sizeLimit else {
            throw fault("the compiled rules have \(bytes.count) bytes; at most \(Self.sizeLimit) are supported")
        }
        func word(_ place: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) } }
        guard bytes.count >= 4 else { throw fault("the compiled rules have only \(bytes.count) bytes") }
        let size = Int(word(0))
        guard size >= 4, size <= bytes.count - 4 else {
            throw fault("the trie's size is given as \(size) bytes, but only \(bytes.count - 4) bytes follow")
        }
        let units = (0..<size / 4).map { word(4 + 4 * $0) }
        let texts = Array(bytes[(4 + size / 4 * 4)...])
        guard String(validating: texts, as: UTF8.self) != nil else { throw fault("the texts of the compiled rules are not UTF-8") }
        self.bytes = bytes
        var ascii: [[UInt8]?] = Array(repeating: nil, count: 128)
        for value in UInt8(0)..<128 {
            ascii[Int(value)] = [value].withUnsafeBufferPointer { Self.replacement(of: $0, units, texts).map(Array.init) }
        }
        (self.units, self.texts, self.ascii) = (units, texts, ascii)
    }

    /// Reads a Precompiled normalizer, whose rules are in base64.
    init(_ part: TokenizerPart) throws {
        let map = try part.required("precompiled_charsmap")
        guard let data = Foundation.Data(base64Encoded: try map.string()) else { throw map.fault("it is not valid base64") }
        try self.init([UInt8](data), fault: map.fault)
    }

    /// Calls `body` with every rule: a text and its replacement.
    func forEachRule(_ body: (_ key: [UInt8], _ text: ArraySlice<UInt8>) -> Void) {
        var children: [Int: [Int]] = [:]
        for (place, unit) in units.enumerated() where unit & 1 << 31 == 0 && unit & 0xFF != 0 {
            children[place ^ Int(unit & 0xFF), default: []].append(place)
        }
        var seen = Array(repeating: false, count: units.count)
        var pending: [(base: Int, key: [UInt8])] = [(Self.offset(units.first ?? 0), [])]
        while let (base, key) = pending.popLast() {
            for place in children[base] ?? [] where !seen[place] {
                seen[place] = true
                let key = key + [UInt8(units[place] & 0xFF)]
                // longer keys are never looked up
                if key.count > 6 { continue }
                let text = key.withUnsafeBufferPointer { Self.replacement(of: $0, units, texts) }
                if let text { body(key, text) } else { pending.append((place ^ Self.offset(units[place]), key)) }
            }
        }
    }

    /// The offset that a trie unit encodes.
    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }

    static func == (left: PrecompiledMap, right: PrecompiledMap) -> Bool { left.bytes == right.bytes }

    /// The replacement of the shortest prefix of `chunk` that has one; nil if none has.
    private static func replacement(of chunk: UnsafeBufferPointer<UInt8>, _ units: [UInt32], _ texts: [UInt8]) -> ArraySlice<UInt8>? {
        guard let root = units.first else { return nil }
        var node = offset(root)
        for byte in chunk {
            if byte == 0 { return nil }
            node ^= Int(byte)
            guard node < units.count else { return nil }
            let unit = units[node]
            guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
            node ^= offset(unit)
            guard unit >> 8 & 1 == 1 else { continue }
            guard node < units.count else { return nil }
            let start = Int(units[node] & (1 << 31 - 1))
            guard start < texts.count, texts[start] & 0xC0 != 0x80 else { return nil }
            let end = texts[start...].firstIndex(of: 0) ?? texts.count
            return texts[start..<end]
        }
        return nil
    }

    /// Normalises the text in place.
    func apply(to text: inout NormalizedText) {
        text.rewrite { bytes, output in
            var position = 0
            while position < bytes.count {
                let first = bytes[position]
                // an ASCII character before another one is a separate grapheme
                if first < 0x80, first != 0x0D, position + 1 == bytes.count || bytes[position + 1] < 0xCC {
                    if let text = ascii[Int(first)] { output.append(contentsOf: text) } else { output.append(first) }
                    position += 1
                    continue
                }
                let end = Self.plainEnd(bytes, position)
                let stretch = UnsafeBufferPointer(rebasing: bytes[position..<end])
                var start = 0
                for grapheme in String(decoding: stretch, as: UTF8.self) {
                    let length = grapheme.utf8.count
                    guard start + length <= stretch.count else { break }
                    append(UnsafeBufferPointer(rebasing: stretch[start..<start + length]), to: &output)
                    start += length
                }
                // invalid UTF-8 was changed in the string; copy the rest unchanged
                if start < stretch.count { output.append(contentsOf: UnsafeBufferPointer(rebasing: stretch[start...])) }
                position = end
            }
        }
    }

    /// The end of a stretch across which no grapheme extends: before an ASCII character that follows another one.
    private static func plainEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var position = start + 1
        while position < bytes.count {
            if bytes[position] < 0x80, bytes[position] != 0x0A, bytes[position] != 0x0D, bytes[position - 1] < 0x80 { return position }
            position += 1
        }
        return position
    }

    /// Appends the replacement of a grapheme.
    private func append(_ grapheme: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        if grapheme.count < 6, let text = Self.replacement(of: grapheme, units, texts) {
            output.append(contentsOf: text)
            return
        }
        var position = 0
        while position < grapheme.count {
            let length = UTF8Scan.scalar(grapheme, position).length
            let character = UnsafeBufferPointer(rebasing: grapheme[position..<position + length])
            if let text = Self.replacement(of: character, units, texts) {
                output.append(contentsOf: text)
            } else {
                output.append(contentsOf: character)
            }
            position += length
        }
    }
}
