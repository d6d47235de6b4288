/// The pre-tokenizer "UnicodeScripts": splits where the script changes.
///
/// Hiragana and Katakana count as Han, and a space belongs to any script. Text before the first character with a script
/// is dropped, as in Hugging Face `tokenizers`.
struct ScriptRuns: Sendable, Equatable {
    /// The positions where the script changes, with the script that starts there; 0 means any script.
    private let changes: [(start: UInt32, script: UInt8)]

    static func == (left: ScriptRuns, right: ScriptRuns) -> Bool { true }

    init() {
        var events: [(start: UInt32, end: UInt32, script: UInt8)] = []
        func add(_ script: UInt8, _ set: CharacterSet?) {
            for range in set?.ranges ?? [] { events.append((range.lowerBound, range.upperBound, script)) }
        }
        // Hugging Face `tokenizers` uses Unicode 9; remove the largest scripts after they are found, to search them
        // only once
        var rest = CharacterProperty.foundation("Age=9.0") ?? .all
        for (index, name) in Self.names.enumerated() {
            let members = CharacterProperty.foundation("Script=" + name, among: rest)
            add(["Hiragana", "Katakana"].contains(name) ? 1 : UInt8(index + 1), members)
            if index < 5, let members { rest = rest.subtracting(members) }
        }
        events.sort { $0.start < $1.start }
        var changes: [(start: UInt32, script: UInt8)] = [(0, 0)]
        for event in events {
            if changes.last?.start == event.start { changes.removeLast() }
            changes.append((event.start, event.script))
            changes.append((event.end + 1, 0))
        }
        // unassigned and private-use characters have no script
        let unknown = UInt8((Self.names.firstIndex(of: "Unknown") ?? 0) + 1)
        self.changes = changes.map { $0.script == unknown ? ($0.start, 0) : $0 }
    }

    /// The script of a scalar; 0 means any.
    private func script(of value: UInt32) -> UInt8 {
        switch value {
        case 0x20: return 0
        case 0x30FC: return 1
        // the scripts of these characters have changed since Unicode 9
        case 0x589, 0x61C: return Self.common
        case 0x953, 0x954: return Self.devanagari
        default: break
        }
        var (low, high) = (0, changes.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if changes[middle].start <= value { low = middle } else { high = middle }
        }
        return changes[low].script
    }

    private static let common = UInt8((names.firstIndex(of: "Common") ?? 0) + 1)
    private static let devanagari = UInt8((names.firstIndex(of: "Devanagari") ?? 0) + 1)

    /// Appends the pieces within `range`.
    func split(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout [Range<Int>]) {
        let text = UnsafeBufferPointer(rebasing: bytes[range])
        var last: UInt8?
        var start: Int?
        var position = 0
        while position < text.count {
            let (value, length) = UTF8Scan.scalar(text, position)
            let script = script(of: value)
            if script != 0, script != last {
                if let start { output.append(range.lowerBound + start..<range.lowerBound + position) }
                start = position
                last = script
            }
            position += length
        }
        if let start { output.append(range.lowerBound + start..<range.upperBound) }
    }

    private static let names = [
        "Han", "Hangul", "Tangut", "Unknown", "Common", "Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Syriac", "Thaana",
        "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao",
        "Tibetan",
        "Myanmar", "Georgian", "Ethiopic", "Cherokee", "Canadian_Aboriginal", "Ogham", "Runic", "Khmer", "Mongolian", "Hiragana",
        "Katakana",
        "Bopomofo", "Yi", "Old_Italic", "Gothic", "Deseret", "Inherited", "Tagalog", "Hanunoo", "Buhid", "Tagbanwa", "Limbu", "Tai_Le",
        "Linear_B", "Ugaritic", "Shavian", "Osmanya", "Cypriot", "Braille", "Buginese", "Coptic", "New_Tai_Lue", "Glagolitic", "Tifinagh",
        "Syloti_Nagri", "Old_Persian", "Kharoshthi", "Balinese", "Cuneiform", "Phoenician", "Phags_Pa", "Nko", "Sundanese", "Lepcha",
        "Ol_Chiki",
        "Vai", "Saurashtra", "Kayah_Li", "Rejang", "Lycian", "Carian", "Lydian", "Cham", "Tai_Tham", "Tai_Viet", "Avestan",
        "Egyptian_Hieroglyphs", "Samaritan", "Lisu", "Bamum", "Javanese", "Meetei_Mayek", "Imperial_Aramaic", "Old_South_Arabian",
        "Inscriptional_Parthian", "Inscriptional_Pahlavi", "Old_Turkic", "Kaithi", "Batak", "Brahmi", "Mandaic", "Chakma",
        "Meroitic_Cursive",
        "Meroitic_Hieroglyphs", "Miao", "Sharada", "Sora_Sompeng", "Takri", "Caucasian_Albanian", "Bassa_Vah", "Duployan", "Elbasan",
        "Grantha",
        "Pahawh_Hmong", "Khojki", "Linear_A", "Mahajani", "Manichaean", "Mende_Kikakui", "Modi", "Mro", "Old_North_Arabian", "Nabataean",
        "Palmyrene", "Pau_Cin_Hau", "Old_Permic", "Psalter_Pahlavi", "Siddham", "Khudawadi", "Tirhuta", "Warang_Citi", "Ahom",
        "Anatolian_Hieroglyphs", "Hatran", "Multani", "Old_Hungarian", "SignWriting", "Adlam", "Bhaiksuki", "Marchen", "Newa", "Osage",
    ]
}
