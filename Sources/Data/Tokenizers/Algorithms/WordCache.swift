/// Caches the token IDs of words.
struct WordCache {
    private struct Entry {
        var hash: UInt64
        var keyStart: UInt32
        var keyLength: UInt32
        var idStart: UInt32
        var idCount: UInt32
    }

    private var slots: [Int32] = Array(repeating: -1, count: slotCount)
    private var entries: [Entry] = []
    private var keys: [UInt8] = []
    private var ids: [Int32] = []

    private static let slotCount = 1 << 17
    private static let entryLimit = 1 << 16
    /// The maximum length of a cached word, in bytes.
    private static let lengthLimit = 64

    /// Appends the IDs of `word`. Computes them with `compute` if they are not cached.
    @inline(__always)
    mutating func append(
        _ word: UnsafeBufferPointer<UInt8>, to output: inout [Int32], compute: (inout [Int32]) -> Void
    ) {
        if word.count > Self.lengthLimit {
            compute(&output)
            return
        }
        let hash = ByteHash.hash(word)
        let mask = Self.slotCount - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, Int(entry.keyLength) == word.count, matches(entry, word) {
                for index in Int(entry.idStart)..<Int(entry.idStart + entry.idCount) { output.append(ids[index]) }
                return
            }
            slot = (slot + 1) & mask
        }
        let start = output.count
        compute(&output)
        if entries.count == Self.entryLimit {
            // Full: start over. Frequent words return quickly.
            for index in slots.indices { slots[index] = -1 }
            entries.removeAll(keepingCapacity: true)
            keys.removeAll(keepingCapacity: true)
            ids.removeAll(keepingCapacity: true)
            slot = Int(truncatingIfNeeded: hash) & mask
        }
        slots[slot] = Int32(entries.count)
        entries.append(
            Entry(
                hash: hash, keyStart: UInt32(keys.count), keyLength: UInt32(word.count), idStart: UInt32(ids.count),
                idCount: UInt32(output.count - start)))
        keys.append(contentsOf: word)
        ids.append(contentsOf: output[start...])
    }

    /// Whether an entry's key is the given word.
    @inline(__always)
    private func matches(_ entry: Entry, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
        keys.withUnsafeBufferPointer {
            ByteHash.equal($0.baseAddress, Int(entry.keyStart), word.baseAddress, 0, word.count)
        }
    }
}
