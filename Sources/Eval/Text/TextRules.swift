/// Text rules that the published Python implementations inherit from Python, on Unicode scalars: white space, lower-casing and
/// punctuation.
///
/// The rules do not use `Character`s: "\r\n" is one character in Swift but two code points in Python.
package enum TextRules {
    /// Whether the scalar is white space for Python's `str.split()` and the class `\s` of its regular expressions.
    package static func isWhitespace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// The maximal runs of scalars other than white space, as UTF-8 bytes.
    package static func whitespaceWords(_ text: some Sequence<Unicode.Scalar>) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8] = []
        for scalar in text {
            if isWhitespace(scalar) {
                if !word.isEmpty { words.append(word) }
                word.removeAll()
            } else {
                word.append(contentsOf: scalar.utf8)
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    /// The text in lower case by the full Unicode mappings, including the final form of capital sigma at the end of a word.
    package static func lowercased(_ text: String) -> [Unicode.Scalar] {
        let scalars = Array(text.unicodeScalars)
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count)
        for (i, scalar) in scalars.enumerated() {
            if scalar.value < 0x80 {
                result.append(
                    scalar.value >= 0x41 && scalar.value <= 0x5A ? Unicode.Scalar(UInt8(scalar.value + 32)) : scalar)
            } else if scalar.value == 0x3A3 {
                result.append(isFinalSigma(scalars, at: i) ? "\u{3C2}" : "\u{3C3}")
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return result
    }

    /// Whether a sigma is final: the nearest scalar before it that is not case-ignorable is cased, and the nearest one after it
    /// is not.
    private static func isFinalSigma(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
        func firstThatCounts(_ candidates: some Sequence<Unicode.Scalar>) -> Bool {
            for scalar in candidates where !scalar.properties.isCaseIgnorable { return scalar.properties.isCased }
            return false
        }
        return firstThatCounts(scalars[..<index].reversed()) && !firstThatCounts(scalars[(index + 1)...])
    }

    /// Whether the scalar is one of the 32 ASCII punctuation characters: not a letter, digit, space or control character.
    package static func isASCIIPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }
}
