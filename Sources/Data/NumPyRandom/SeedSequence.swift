/// Expands a seed into as many random words as a generator's state needs.
///
/// Implements NumPy's `SeedSequence` exactly (after M. E. O'Neill's `seed_seq_fe128`), so that draws of NumPy can be
/// reproduced. Different spawn keys give independent streams for the same seed.
public struct SeedSequence: Sendable, Equatable {
    private var pool: [UInt32]

    private static let poolSize = 4
    private static let initA: UInt32 = 0x43b0_d7e5
    private static let multA: UInt32 = 0x931e_8875
    private static let initB: UInt32 = 0x8b51_f9dd
    private static let multB: UInt32 = 0x58f3_8ded
    private static let mixL: UInt32 = 0xca01_f9dd
    private static let mixR: UInt32 = 0x4973_f715

    /// Creates a sequence equal to `numpy.random.SeedSequence(entropy, spawn_key=spawnKey)`.
    public init(_ entropy: UInt64, spawnKey: [UInt32] = []) {
        var words = [UInt32(truncatingIfNeeded: entropy)]
        if entropy >> 32 != 0 { words.append(UInt32(truncatingIfNeeded: entropy >> 32)) }
        if !spawnKey.isEmpty {
            words += Array(repeating: 0, count: Self.poolSize - words.count) + spawnKey
        }

        var hashConstant = Self.initA
        func hash(_ word: UInt32) -> UInt32 {
            var value = word ^ hashConstant
            hashConstant &*= Self.multA
            value &*= hashConstant
            return value ^ (value >> 16)
        }
        func mix(_ x: UInt32, _ y: UInt32) -> UInt32 {
            let value = Self.mixL &* x &- Self.mixR &* y
            return value ^ (value >> 16)
        }
        pool = (0..<Self.poolSize).map { hash($0 < words.count ? words[$0] : 0) }
        for source in 0..<Self.poolSize {
            for target in 0..<Self.poolSize where target != source {
                pool[target] = mix(pool[target], hash(pool[source]))
            }
        }
        for word in words.dropFirst(Self.poolSize) {
            for target in 0..<Self.poolSize { pool[target] = mix(pool[target], hash(word)) }
        }
    }

    /// The first `count` 64-bit words of state, each composed of two 32-bit words, the low one first.
    public func words(_ count: Int) -> [UInt64] {
        var hashConstant = Self.initB
        let halves = (0..<2 * count).map { index in
            var value = pool[index % Self.poolSize] ^ hashConstant
            hashConstant &*= Self.multB
            value &*= hashConstant
            return value ^ (value >> 16)
        }
        return (0..<count).map { UInt64(halves[2 * $0]) | UInt64(halves[2 * $0 + 1]) << 32 }
    }
}
