/// The number of occurrences of each word in texts. Words are the matches of GPT-2's pattern.
struct WordCounts {
    /// The words in the order of their first occurrence.
    private(set) var words = TokenTable(capacity: 1 << 12)
    /// The number of occurrences of each word.
    private(set) var counts: [Int] = []

    /// Longer words are counted in parts of this many bytes, which bounds the work per word. Merges across such a
    /// boundary would not be useful.
    static let lengthLimit = 256

    init(_ texts: [String]) {
        for var text in texts {
            text.withUTF8 { bytes in
                var ranges: [Range<Int>] = []
                GPT2Pattern.split(bytes, 0..<bytes.count, &ranges)
                for range in ranges {
                    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.lengthLimit) {
                        let end = min(start + Self.lengthLimit, range.upperBound)
                        count(UnsafeBufferPointer(rebasing: bytes[start..<end]))
                    }
                }
            }
        }
    }

    /// Counts one word.
    private mutating func count(_ word: UnsafeBufferPointer<UInt8>) {
        if let index = words.id(of: word) {
            counts[Int(index)] += 1
        } else {
            _ = words.insert(word, id: Int32(counts.count))
            counts.append(1)
        }
    }
}
