import Formats

/// Detects duplicate IDs in 24 bytes per row; the IDs themselves are not stored.
///
/// Two different IDs are mistaken for equal only if two independent 64-bit hashes of both coincide, which is negligibly
/// unlikely.
struct SeenIDs {
    private var places: [Key: Place] = [:]

    /// The location of a row: the index of its file among the shards that are read as one, and the line.
    struct Place: Equatable {
        var file: Int32
        var line: Int32
    }

    private struct Key: Hashable {
        var first: UInt64
        var second: UInt64
    }

    /// Records the ID of a row.
    /// - Returns: The location of the earlier row with the same ID; nil for a new ID.
    mutating func note(_ id: String, file: Int = 0, line: Int) -> Place? {
        // FNV-1a, and a second hash with another offset basis and multiplier
        var key = Key(first: FNV64.hash(of: id), second: 0x9e37_79b9_7f4a_7c15)
        for byte in id.utf8 {
            key.second = (key.second ^ UInt64(byte)) &* 0xd605_1363_8bcf_6d6d
            key.second ^= key.second >> 29
        }
        if let earlier = places[key] { return earlier }
        places[key] = Place(file: Int32(clamping: file), line: Int32(clamping: line))
        return nil
    }
}
