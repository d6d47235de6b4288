/// The tokenisation `13a` of the NIST script mteval-v13a, as applied by `sacrebleu`.
///
/// Punctuation and symbols become separate words, except for apostrophes. A period or comma inside a number is kept, a hyphen
/// is split off only after a digit, and four HTML entities are decoded. The steps operate on UTF-8 bytes, which is safe because
/// all characters they match are ASCII and no byte of a multi-byte encoding is.
package enum Tokenizer13a {
    /// The words of `text` as UTF-8 bytes.
    package static func words(of text: String, lowercases: Bool) -> [[UInt8]] {
        var scalars = lowercases ? TextRules.lowercased(text) : Array(text.unicodeScalars)
        while let last = scalars.last, TextRules.isWhitespace(last) { scalars.removeLast() }
        var bytes = [UInt8(ascii: " ")]
        for scalar in scalars { bytes.append(contentsOf: scalar.utf8) }
        bytes = replacing("<skipped>", with: "", in: bytes)
        bytes = replacing("-\n", with: "", in: bytes)
        bytes = replacing("\n", with: " ", in: bytes)
        for (entity, character) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            bytes = replacing(entity, with: character, in: bytes)
        }
        bytes.append(UInt8(ascii: " "))
        bytes = separatingSymbols(in: bytes)
        bytes = separatingPairs(in: bytes) { !isDigit($0) && isStop($1) ? .around : nil }
        bytes = separatingPairs(in: bytes) { isStop($0) && !isDigit($1) ? .aroundFirst : nil }
        bytes = separatingPairs(in: bytes) { isDigit($0) && $1 == UInt8(ascii: "-") ? .around : nil }
        return TextRules.whitespaceWords(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    }

    private enum Spaces {
        /// `x y ␠`: a space before and after the second byte.
        case around
        /// `␠ x ␠ y`: a space before and after the first byte.
        case aroundFirst
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func isStop(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",") }

    private static func separatingSymbols(in bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            switch byte {
            case 0x20...0x26, 0x28...0x2B, 0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E:
                result.append(contentsOf: [0x20, byte, 0x20])
            default: result.append(byte)
            }
        }
        return result
    }

    /// Makes one pass from left to right over pairs of adjacent bytes; both bytes of a matching pair are consumed.
    private static func separatingPairs(in bytes: [UInt8], _ match: (UInt8, UInt8) -> Spaces?) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 4)
        var i = 0
        while i < bytes.count {
            guard i + 1 < bytes.count, let spaces = match(bytes[i], bytes[i + 1]) else {
                result.append(bytes[i])
                i += 1
                continue
            }
            switch spaces {
            case .around: result.append(contentsOf: [bytes[i], 0x20, bytes[i + 1], 0x20])
            case .aroundFirst: result.append(contentsOf: [0x20, bytes[i], 0x20, bytes[i + 1]])
            }
            i += 2
        }
        return result
    }

    private static func replacing(_ pattern: String, with replacement: String, in bytes: [UInt8]) -> [UInt8] {
        let pattern = Array(pattern.utf8)
        guard bytes.contains(pattern[0]) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var i = 0
        while i < bytes.count {
            if bytes[i] == pattern[0], bytes[i...].starts(with: pattern) {
                result.append(contentsOf: replacement.utf8)
                i += pattern.count
            } else {
                result.append(bytes[i])
                i += 1
            }
        }
        return result
    }
}
