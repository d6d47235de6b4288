/// Substring search in UTF-8 bytes, in linear time.
enum PythonSearch {
    /// The byte offset of the first occurrence of `part`.
    static func first(of part: [UInt8], in text: [UInt8]) -> Int? {
        part.isEmpty ? 0 : places(of: part, in: text, limit: 1).first
    }

    /// The byte offset of the last occurrence of `part`.
    static func last(of part: [UInt8], in text: [UInt8]) -> Int? {
        first(of: part.reversed(), in: text.reversed()).map { text.count - part.count - $0 }
    }

    /// The byte offsets of all non-overlapping occurrences of a non-empty `part`, at most `limit` of them (Knuth-Morris-Pratt).
    static func places(of part: [UInt8], in text: [UInt8], limit: Int? = nil) -> [Int] {
        guard let head = part.first, text.count >= part.count, limit != 0 else { return [] }
        // the failure function: the length of the longest border of each prefix
        var borders = [0]
        var border = 0
        for byte in part.dropFirst() {
            while border > 0, byte != part[border] { border = borders[border - 1] }
            if byte == part[border] { border += 1 }
            borders.append(border)
        }
        var places: [Int] = []
        var matched = 0
        var index = 0
        while index < text.count {
            if matched == 0 {
                guard let next = text[index...].firstIndex(of: head) else { break }
                index = next
            }
            while matched > 0, text[index] != part[matched] { matched = borders[matched - 1] }
            if text[index] == part[matched] { matched += 1 }
            index += 1
            if matched == part.count {
                places.append(index - part.count)
                if places.count == limit { break }
                matched = 0
            }
        }
        return places
    }
}
