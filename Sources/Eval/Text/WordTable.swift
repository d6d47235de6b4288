/// Assigns IDs 0, 1, 2, … to distinct byte strings, in order of first appearance.
///
/// Words are compared as UTF-8 bytes: Swift's `String` equality would merge canonically equivalent spellings, which the
/// published metrics distinguish. The table uses open addressing over a single byte arena, without an allocation per word.
package struct WordTable: Sendable {
    private var slots: [Int32]
    private var arena: [UInt8] = []
    private var ends: [Int] = [0]
    private var hashes: [UInt64] = []

    package init() {
        slots = Array(repeating: -1, count: 64)
    }

    /// The number of distinct words.
    package var count: Int { hashes.count }

    /// The bytes of the word with the given ID.
    package func bytes(of id: Int32) -> ArraySlice<UInt8> {
        arena[ends[Int(id)]..<ends[Int(id) + 1]]
    }

    /// The ID of the word `text[range]`; a new one if the word was not seen before.
    package mutating func id(of text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int32 {
        // FNV-1a, followed by a multiplication that spreads the low bits; written out here rather than taken from `FNV64`, because
        // this loop runs for every word, and a call into another module may not be inlined
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for i in range { hash = (hash ^ UInt64(text[i])) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 32)) &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: hash >> 20) & (slots.count - 1)
        while slots[slot] >= 0 {
            let candidate = Int(slots[slot])
            if hashes[candidate] == hash && matches(candidate, text, range) { return slots[slot] }
            slot = (slot + 1) & (slots.count - 1)
        }
        let id = Int32(hashes.count)
        slots[slot] = id
        hashes.append(hash)
        arena.append(contentsOf: text[range])
        ends.append(arena.count)
        if hashes.count * 2 > slots.count { grow() }
        return id
    }

    /// The ID of `word`; a new one if the word was not seen before.
    package mutating func id(of word: [UInt8]) -> Int32 {
        word.withUnsafeBufferPointer { id(of: $0, 0..<$0.count) }
    }

    private func matches(_ candidate: Int, _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        let start = ends[candidate]
        guard ends[candidate + 1] - start == range.count else { return false }
        for i in 0..<range.count where arena[start + i] != text[range.lowerBound + i] { return false }
        return true
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        for (id, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash >> 20) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(id)
        }
    }
}

/// Assigns IDs 0, 1, 2, … to distinct pairs of IDs. An n-gram is the pair of the ID of its first n − 1 words and its last word.
package struct PairTable: Sendable {
    private var slots: [Int32]
    private var keys: [UInt64] = []

    package init(minimumCapacity: Int = 32) {
        var size = 64
        while size < minimumCapacity * 2 { size *= 2 }
        slots = Array(repeating: -1, count: size)
        keys.reserveCapacity(minimumCapacity)
    }

    /// The number of distinct pairs.
    package var count: Int { keys.count }

    /// The ID of `(first, second)`; a new one if the pair was not seen before.
    package mutating func id(of first: Int32, _ second: Int32) -> Int32 {
        let key = UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
        var slot = Self.hash(key) & (slots.count - 1)
        while slots[slot] >= 0 {
            if keys[Int(slots[slot])] == key { return slots[slot] }
            slot = (slot + 1) & (slots.count - 1)
        }
        let id = Int32(keys.count)
        slots[slot] = id
        keys.append(key)
        if keys.count * 2 > slots.count { grow() }
        return id
    }

    private static func hash(_ key: UInt64) -> Int {
        let mixed = (key ^ (key >> 29)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 24)
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        for (id, key) in keys.enumerated() {
            var slot = Self.hash(key) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(id)
        }
    }
}
