/// Porter's suffix-stripping algorithm (1980) with the extensions of NLTK's default mode, the stemmer that `rouge-score` uses.
///
/// The extensions: a short list of irregular forms; words of one or two letters are unchanged; `ies`/`ied` keep their e in
/// four-letter words; `y → i` only after a consonant that is not the first letter; `alli` before the other rules of step 2;
/// `bli → ble`; `fulli → ful`; `logi → log`, with the l counted in the measure; and a two-letter stem of vowel and consonant
/// counts as short.
public enum PorterStemmer {
    /// The stem of `word`, which must be lower-case. Letters outside ASCII count as consonants.
    public static func stem(_ word: String) -> String {
        String(decoding: stem(Array(word.utf8)), as: UTF8.self)
    }

    package static func stem(_ word: [UInt8]) -> [UInt8] {
        if let irregular = irregularForms[word] { return irregular }
        guard word.count > 2 else { return word }
        var stem = word
        plurals(&stem)
        participles(&stem)
        finalY(&stem)
        doubleSuffixes(&stem)
        apply(step3, to: &stem) { measure($0) > 0 }
        apply(step4, to: &stem) { measure($0) > 1 }
        finalE(&stem)
        if stem.hasSuffix("ll"), measure(stem.dropLast()) > 1 { stem.removeLast() }
        return stem
    }

    private typealias Rule = (suffix: StaticString, replacement: StaticString)

    private static let irregularForms: [[UInt8]: [UInt8]] = {
        let stems = [
            ("sky", ["sky", "skies"]), ("die", ["dying"]), ("lie", ["lying"]), ("tie", ["tying"]), ("news", ["news"]),
            ("inning", ["innings", "inning"]), ("outing", ["outings", "outing"]),
            ("canning", ["cannings", "canning"]), ("howe", ["howe"]), ("proceed", ["proceed"]),
            ("exceed", ["exceed"]), ("succeed", ["succeed"]),
        ]
        var forms: [[UInt8]: [UInt8]] = [:]
        for (stem, words) in stems { for word in words { forms[Array(word.utf8)] = Array(stem.utf8) } }
        return forms
    }()

    private static let step2: [Rule] = [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
        ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
        ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
        ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
    ]

    private static let step3: [Rule] = [
        ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
    ]

    private static let step4: [Rule] = [
        ("al", ""), ("ance", ""), ("ence", ""), ("er", ""), ("ic", ""), ("able", ""), ("ible", ""), ("ant", ""),
        ("ement", ""), ("ment", ""), ("ent", ""), ("ion", ""), ("ou", ""), ("ism", ""), ("ate", ""), ("iti", ""),
        ("ous", ""), ("ive", ""), ("ize", ""),
    ]

    /// Step 1a: plurals.
    private static func plurals(_ word: inout [UInt8]) {
        if word.hasSuffix("ies") {
            word.removeLast(word.count == 4 ? 1 : 2)
        } else if word.hasSuffix("sses") {
            word.removeLast(2)
        } else if word.hasSuffix("s"), !word.hasSuffix("ss") {
            word.removeLast()
        }
    }

    /// Step 1b: participles.
    private static func participles(_ word: inout [UInt8]) {
        if word.hasSuffix("ied") {
            word.removeLast(word.count == 4 ? 1 : 2)
            return
        }
        if word.hasSuffix("eed") {
            if measure(word.dropLast(3)) > 0 { word.removeLast() }
            return
        }
        let stem: ArraySlice<UInt8>
        if word.hasSuffix("ed"), containsVowel(word.dropLast(2)) {
            stem = word.dropLast(2)
        } else if word.hasSuffix("ing"), containsVowel(word.dropLast(3)) {
            stem = word.dropLast(3)
        } else {
            return
        }
        word = Array(stem)
        if word.hasSuffix("at") || word.hasSuffix("bl") || word.hasSuffix("iz") {
            word.append(UInt8(ascii: "e"))
        } else if endsInDoubleConsonant(word) {
            if !"lsz".utf8.contains(word[word.count - 1]) { word.removeLast() }
        } else if measure(word[...]) == 1, isShort(word[...]) {
            word.append(UInt8(ascii: "e"))
        }
    }

    /// Step 1c: final y.
    private static func finalY(_ word: inout [UInt8]) {
        guard word.hasSuffix("y"), word.count > 2, isConsonant(word[...], at: word.count - 2) else { return }
        word[word.count - 1] = UInt8(ascii: "i")
    }

    /// Step 2: double suffixes.
    private static func doubleSuffixes(_ word: inout [UInt8]) {
        while word.hasSuffix("alli"), measure(word.dropLast(4)) > 0 { word.removeLast(2) }
        if apply(step2, to: &word, where: { measure($0) > 0 }) { return }
        if word.hasSuffix("logi"), measure(word.dropLast(3)) > 0 { word.removeLast() }
    }

    /// Step 5a: final e.
    private static func finalE(_ word: inout [UInt8]) {
        guard word.hasSuffix("e") else { return }
        let stem = word.dropLast()
        let m = measure(stem)
        if m > 1 || (m == 1 && !isShort(stem)) { word.removeLast() }
    }

    /// Applies the first rule whose suffix matches if the rest of the word satisfies `condition`. Returns whether a suffix
    /// matched.
    @discardableResult
    private static func apply(
        _ rules: [Rule], to word: inout [UInt8], where condition: (ArraySlice<UInt8>) -> Bool
    ) -> Bool {
        for rule in rules where word.hasSuffix(rule.suffix) {
            let stem = word.dropLast(rule.suffix.utf8CodeUnitCount)
            guard condition(stem) else { return true }
            if rule.suffix.utf8CodeUnitCount == 3, word.hasSuffix("ion"), rule.replacement.utf8CodeUnitCount == 0 {
                guard let last = stem.last, "st".utf8.contains(last) else { return true }  // step 4: only after s or t
            }
            word = Array(stem)
            rule.replacement.withUTF8Buffer { word.append(contentsOf: $0) }
            return true
        }
        return false
    }

    private static func isVowelLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): true
        default: false
        }
    }

    /// Whether the letter is a consonant: not a, e, i, o or u, and not a y after a consonant.
    private static func isConsonant(_ word: ArraySlice<UInt8>, at index: Int) -> Bool {
        var consonant = true
        for i in word.startIndex...index {
            if isVowelLetter(word[i]) {
                consonant = false
            } else if word[i] == UInt8(ascii: "y") {
                consonant = i == word.startIndex || !consonant
            } else {
                consonant = true
            }
        }
        return consonant
    }

    /// Porter's measure m: the number of times a run of vowels is followed by a run of consonants.
    private static func measure(_ word: ArraySlice<UInt8>) -> Int {
        var changes = 0
        var previousIsVowel = false
        for i in word.indices {
            let consonant: Bool
            if isVowelLetter(word[i]) {
                consonant = false
            } else if word[i] == UInt8(ascii: "y"), i > word.startIndex {
                consonant = previousIsVowel
            } else {
                consonant = true
            }
            if consonant && previousIsVowel { changes += 1 }
            previousIsVowel = !consonant
        }
        return changes
    }

    /// Whether the word contains a vowel. The test for y is exact: a y after the first letter without a vowel before it follows
    /// a consonant, so it is a vowel.
    private static func containsVowel(_ word: ArraySlice<UInt8>) -> Bool {
        word.indices.contains { isVowelLetter(word[$0]) || (word[$0] == UInt8(ascii: "y") && $0 > word.startIndex) }
    }

    private static func endsInDoubleConsonant(_ word: [UInt8]) -> Bool {
        word.count >= 2 && word[word.count - 1] == word[word.count - 2] && isConsonant(word[...], at: word.count - 1)
    }

    /// Whether the word ends in consonant, vowel, consonant other than w, x, y, or consists of a vowel and a consonant only.
    private static func isShort(_ word: ArraySlice<UInt8>) -> Bool {
        let end = word.endIndex
        guard word.count >= 2, !isConsonant(word, at: end - 2), isConsonant(word, at: end - 1) else { return false }
        return word.count == 2 || (isConsonant(word, at: end - 3) && !"wxy".utf8.contains(word[end - 1]))
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ suffix: StaticString) -> Bool {
        let length = suffix.utf8CodeUnitCount
        guard count >= length else { return false }
        return suffix.withUTF8Buffer { buffer in
            for i in 0..<length where self[count - length + i] != buffer[i] { return false }
            return true
        }
    }
}
