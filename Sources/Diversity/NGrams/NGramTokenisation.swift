import Eval

/// How the n-gram metrics split a text into words.
///
/// The default is the form behind published values: every `.` and newline is deleted (so the words around a newline are
/// joined), the rest is split at single spaces, empty words are dropped, and case is preserved.
public struct NGramTokenisation: Codable, Sendable, Hashable {
    /// The rule for word boundaries.
    public enum Splitting: String, Codable, Sendable, CaseIterable {
        /// `.` and newline are deleted; single spaces separate words.
        case published
        /// Words are maximal runs of characters other than white space.
        case whitespace
        /// Words are maximal runs of letters, marks and digits of any script; a single apostrophe between two of them belongs
        /// to the word.
        case unicodeWords
    }

    /// The rule for word boundaries.
    public var splitting: Splitting
    /// With ``Splitting/published``: whether newlines separate words instead of being deleted.
    public var newlineSeparates: Bool
    /// Whether words are compared in lower case.
    public var lowercases: Bool

    /// A tokenisation. Default: the published form.
    public init(splitting: Splitting = .published, newlineSeparates: Bool = false, lowercases: Bool = false) {
        self.splitting = splitting
        self.newlineSeparates = newlineSeparates
        self.lowercases = lowercases
    }

    /// The form of the published values.
    public static let reference = NGramTokenisation()

    /// Words separated by white space, with punctuation and case preserved.
    public static let whitespace = NGramTokenisation(splitting: .whitespace)

    /// Lower-cased Unicode words, so that words do not depend on layout or punctuation.
    public static let words = NGramTokenisation(splitting: .unicodeWords, lowercases: true)

    /// The words of `text`, in order.
    public func words(of text: String) -> [String] {
        var table = WordTable()
        return ids(of: text, in: &table).map { String(decoding: table.bytes(of: $0), as: UTF8.self) }
    }

    /// The words of `text` as IDs in `table`.
    func ids(of text: String, in table: inout WordTable) -> [Int32] {
        let scalars = lowercases ? TextRules.lowercased(text) : nil
        switch splitting {
        case .whitespace:
            let words = scalars.map { TextRules.whitespaceWords($0) } ?? TextRules.whitespaceWords(text.unicodeScalars)
            return words.map { table.id(of: $0) }
        case .unicodeWords:
            return Self.unicodeWords(in: scalars ?? Array(text.unicodeScalars)).map { table.id(of: $0) }
        case .published:
            var bytes = scalars.map { $0.flatMap { Array($0.utf8) } } ?? Array(text.utf8)
            if newlineSeparates { for i in bytes.indices where bytes[i] == 0x0A { bytes[i] = 0x20 } }
            bytes.removeAll { $0 == 0x2E || $0 == 0x0A }
            return Self.wordsBetweenSpaces(bytes, &table)
        }
    }

    private static func wordsBetweenSpaces(_ bytes: [UInt8], _ table: inout WordTable) -> [Int32] {
        bytes.withUnsafeBufferPointer { buffer in
            var ids: [Int32] = []
            var start = 0
            for i in 0...buffer.count where i == buffer.count || buffer[i] == 0x20 {
                if i > start { ids.append(table.id(of: buffer, start..<i)) }
                start = i + 1
            }
            return ids
        }
    }

    private static func unicodeWords(in scalars: [Unicode.Scalar]) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8] = []
        for (i, scalar) in scalars.enumerated() {
            let isApostrophe = scalar == "'" || scalar == "\u{2019}"
            let joins = isApostrophe && !word.isEmpty && i + 1 < scalars.count && isWordScalar(scalars[i + 1])
            if isWordScalar(scalar) || joins {
                word.append(contentsOf: joins ? [0x27] : Array(scalar.utf8))
            } else if !word.isEmpty {
                words.append(word)
                word.removeAll()
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
            true
        default: false
        }
    }
}
