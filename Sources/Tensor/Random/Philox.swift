/// A counter-based random number generator (Philox 4×32-10, Salmon et al. 2011).
///
/// Its state is a key and a counter, so it can be stored, restored and split exactly. `split(_:)` returns an independent
/// stream for a purpose, a row or a step; the numbers of one stream never depend on how many were drawn from another.
public struct Philox: RandomNumberGenerator, Codable, Sendable, Equatable {
    package private(set) var key0: UInt32
    package private(set) var key1: UInt32
    package private(set) var stream: UInt64
    private var counter: UInt64 = 0
    private var spare: UInt64?

    /// Creates the generator of a seed.
    public init(seed: UInt64) {
        key0 = UInt32(truncatingIfNeeded: seed)
        key1 = UInt32(truncatingIfNeeded: seed >> 32)
        stream = 0
    }

    /// An independent stream, identified by a number. The same number always gives the same stream, no matter what was drawn
    /// before.
    public func split(_ number: UInt64) -> Philox {
        var child = self
        child.spare = nil
        child.counter = 0
        // the generator itself mixes the parent's stream and the number, so that nested splits do not collide
        let block = Self.block(counter: (number, stream ^ 0x9E37_79B9_7F4A_7C15), key: (key0, key1))
        child.stream = block.0
        child.key0 = key0 ^ UInt32(truncatingIfNeeded: block.1)
        child.key1 = key1 ^ UInt32(truncatingIfNeeded: block.1 >> 32)
        return child
    }

    /// An independent stream, identified by a name such as "data" or "sampling".
    public func split(_ name: String) -> Philox {
        // FNV-1a, 64 bits: the values of `FNV64` in Formats, which this module does not import
        split(name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        if let value = spare {
            spare = nil
            return value
        }
        let block = Self.block(counter: (counter, stream), key: (key0, key1))
        counter &+= 1
        spare = block.1
        return block.0
    }

    /// A uniform random number in [0, 1), a multiple of 2⁻²⁴.
    public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// A random number from the standard normal distribution (Box & Muller 1958).
    public mutating func normal() -> Float {
        let bits = next()
        let u = Float((bits >> 40) + 1) * 0x1p-24
        let angle = 2 * Float.pi * Float(bits & 0xff_ffff) * 0x1p-24
        return (-2 * logarithm(u)).squareRoot() * cosine(angle)
    }

    /// The block function: ten rounds on a 128-bit counter. Tested against the known answers of the Random123 distribution.
    package static func block(counter: (UInt64, UInt64), key: (UInt32, UInt32)) -> (UInt64, UInt64) {
        var c0 = UInt32(truncatingIfNeeded: counter.0)
        var c1 = UInt32(truncatingIfNeeded: counter.0 >> 32)
        var c2 = UInt32(truncatingIfNeeded: counter.1)
        var c3 = UInt32(truncatingIfNeeded: counter.1 >> 32)
        var (k0, k1) = key
        for _ in 0..<10 {
            let a = 0xD251_1F53 &* UInt64(c0)
            let b = 0xCD9E_8D57 &* UInt64(c2)
            (c0, c1, c2, c3) = (
                UInt32(truncatingIfNeeded: b >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: a)
            )
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return (UInt64(c0) | UInt64(c1) << 32, UInt64(c2) | UInt64(c3) << 32)
    }
}
