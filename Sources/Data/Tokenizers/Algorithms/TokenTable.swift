/// A vocabulary: maps byte strings to IDs and back.
///
/// Tokens are compared by their bytes, not as `String`, because string equality ignores differences in normalisation.
/// IDs need not be contiguous. An ID may have alternative spellings, which are encoded but never decoded to.
struct TokenTable: Sendable {
    private var arena: [UInt8] = []
    /// The position of each ID's bytes in the arena; `start == absent` for an ID without a token.
    private var places: [Place] = []
    /// The IDs in an open-addressing hash table; -1 in empty slots.
    private var slots: [Int32]
    /// The number of tokens, without alternative spellings.
    private(set) var count = 0
    /// The alternative spellings of IDs.
    private var spellings: [[UInt8]: Int32] = [:]

    private struct Place {
        var start: UInt32
        var length: UInt32
    }

    private static let absent = UInt32.max

    init(capacity: Int = 0) {
        slots = Array(repeating: -1, count: Self.slotCount(for: capacity))
        places.reserveCapacity(capacity)
    }

    /// The largest ID plus one.
    var bound: Int { places.count }

    /// Adds a token with an ID.
    ///
    /// - Returns: `false`, without a change, if the token or the ID is already in use.
    mutating func insert(_ token: some Collection<UInt8>, id: Int32) -> Bool {
        let index = Int(id)
        if index < places.count, places[index].start != Self.absent { return false }
        let start = arena.count
        arena.append(contentsOf: token)
        let taken = arena.withUnsafeBufferPointer { bytes in
            self.id(of: UnsafeBufferPointer(rebasing: bytes[start...])) != nil
        }
        if taken {
            arena.removeSubrange(start...)
            return false
        }
        while places.count <= index { places.append(Place(start: Self.absent, length: 0)) }
        places[index] = Place(start: UInt32(start), length: UInt32(arena.count - start))
        count += 1
        if count * 2 > slots.count {
            rehash()
        } else {
            place(id)
        }
        return true
    }

    /// Adds an alternative spelling of an ID that has a token.
    ///
    /// - Returns: `false`, without a change, if the spelling is already in use or the ID has no token.
    mutating func insert(spelling token: [UInt8], of id: Int32) -> Bool {
        if bytes(of: id) == nil || self.id(of: token) != nil { return false }
        spellings[token] = id
        return true
    }

    /// The number of tokens, including alternative spellings.
    var entryCount: Int { count + spellings.count }

    /// The alternative spellings, ordered by ID.
    var furtherSpellings: [(token: [UInt8], id: Int32)] {
        spellings.map { ($0.key, $0.value) }.sorted { ($0.id, $0.token.count) < ($1.id, $1.token.count) }
    }

    /// The ID of a token; nil if it is not in the vocabulary.
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? {
        find(token) ?? (spellings.isEmpty ? nil : spellings[Array(token)])
    }

    /// The ID of a token in the hash table.
    private func find(_ token: UnsafeBufferPointer<UInt8>) -> Int32? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: ByteHash.hash(token)) & mask
        return arena.withUnsafeBufferPointer { arena in
            while true {
                let id = slots[slot]
                if id < 0 { return nil }
                let place = places[Int(id)]
                if Int(place.length) == token.count,
                    ByteHash.equal(arena.baseAddress, Int(place.start), token.baseAddress, 0, token.count)
                {
                    return id
                }
                slot = (slot + 1) & mask
            }
        }
    }

    /// The ID of a token; nil if it is not in the vocabulary.
    func id(of token: [UInt8]) -> Int32? {
        token.withUnsafeBufferPointer { id(of: $0) }
    }

    /// The ID of a token; nil if it is not in the vocabulary.
    func id(of token: String) -> Int32? {
        id(of: Array(token.utf8))
    }

    /// The bytes of an ID's token; `nil` if the ID has none.
    func bytes(of id: Int32) -> ArraySlice<UInt8>? {
        guard id >= 0, Int(id) < places.count, places[Int(id)].start != Self.absent else { return nil }
        let place = places[Int(id)]
        return arena[Int(place.start)..<Int(place.start) + Int(place.length)]
    }

    private mutating func rehash() {
        slots = Array(repeating: -1, count: Self.slotCount(for: count * 2))
        for (id, element) in places.enumerated() where element.start != Self.absent { place(Int32(id)) }
    }

    /// Inserts an ID into the hash table.
    private mutating func place(_ id: Int32) {
        let element = places[Int(id)]
        let hash = arena.withUnsafeBufferPointer { bytes in
            let token = bytes[Int(element.start)..<Int(element.start) + Int(element.length)]
            return ByteHash.hash(UnsafeBufferPointer(rebasing: token))
        }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = id
    }

    /// The number of slots for a capacity: a power of two, at most half full.
    private static func slotCount(for capacity: Int) -> Int {
        var count = 16
        while count < capacity * 2 + 2 { count *= 2 }
        return count
    }
}

/// Hashing and comparison of short byte strings.
enum ByteHash {
    /// A random seed for each process, so that no one can construct a vocabulary whose tokens all collide. No
    /// result depends on it.
    static let seed = UInt64.random(in: .min ... .max)

    /// A 64-bit hash that processes eight bytes at a time (multiply and fold, as in wyhash).
    @inline(__always)
    static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash = seed ^ UInt64(bytes.count)
        guard let base = bytes.baseAddress else { return hash }
        let raw = UnsafeRawPointer(base)
        var position = 0
        while position + 8 <= bytes.count {
            hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
        }
        var tail: UInt64 = 0
        while position < bytes.count {
            tail = tail << 8 | UInt64(bytes[position])
            position += 1
        }
        return fold(fold(hash ^ tail) ^ seed)
    }

    /// Folds the 128-bit product of a value and a constant into 64 bits.
    @inline(__always)
    static func fold(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }

    /// Whether two ranges of `count` bytes are equal.
    @inline(__always)
    static func equal(
        _ left: UnsafePointer<UInt8>?, _ leftStart: Int, _ right: UnsafePointer<UInt8>?, _ rightStart: Int, _ count: Int
    ) -> Bool {
        if count == 0 { return true }
        guard let left, let right else { return false }
        for index in 0..<count where left[leftStart + index] != right[rightStart + index] { return false }
        return true
    }
}
