import Eval

/// How the n-gram metrics cut a text into words.
///
/// The default is the form published values use: every `.` and newline is deleted (so the words around a newline
/// merge), the rest is split at single spaces, empty words are dropped, case is kept.
public struct NGramTokenisation: Codable, Sendable, Hashable {
    /// Where words begin and end.
    public enum Splitting: String, Codable, Sendable, CaseIterable {
        /// `.` and newline are deleted, single spaces separate.
        case published
        /// Words are maximal runs of anything that is not white space.
        case whitespace
        /// Words are maximal runs of letters, marks and digits of any script, with single apostrophes between them.
        case unicodeWords
    }

    /// Where words begin and end.
    public var splitting: Splitting
    /// In ``Splitting/published``: newlines separate words instead of vanishing.
    public var newlineSeparates: Bool
    /// Words are compared in lower case.
    public var lowercases: Bool

    /// The published form unless a rule is changed.
    public init(splitting: Splitting = .published, newlineSeparates: Bool = false, lowercases: Bool = false) {
        self.splitting = splitting
        self.newlineSeparates = newlineSeparates
        self.lowercases = lowercases
    }

    /// The form of the published values.
    public static let reference = NGramTokenisation()

    /// Words between white space, with their punctuation and case.
    public static let whitespace = NGramTokenisation(splitting: .whitespace)

    /// Lower-cased Unicode words: what counts as a word does not depend on layout or punctuation.
    public static let words = NGramTokenisation(splitting: .unicodeWords, lowercases: true)

    /// The words of `text`.
    public func words(of text: String) -> [String] {
        var table = WordTable()
        return ids(of: text, in: &table).map { String(decoding: table.bytes(of: $0), as: UTF8.self) }
    }

    /// The words of `text` as ids of `table`.
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
