/// A small, fast random number generator for resampling loops, seeded with one number from the caller's generator.
///
/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014). It is a concrete type, so that millions of
/// draws do not go through a generic generator of another module. Results depend only on the seed.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package init(from generator: inout some RandomNumberGenerator) {
        state = generator.next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    /// The generator after `count` more calls of `next()`.
    package func skipping(_ count: Int) -> SplitMix64 {
        SplitMix64(seed: state &+ UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15)
    }

    /// A bijective mix of 64 bits whose results look like random numbers.
    package static func mixed(_ bits: UInt64) -> UInt64 {
        var z = bits
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A uniformly distributed index below `bound`, by Lemire's multiplication with rejection; identical on every platform.
    package mutating func index(below bound: Int) -> Int {
        precondition(bound > 0, "an index needs at least one value to choose from, got \(bound)")
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// `count` distinct indices below `bound`, in random order (a partial Fisher–Yates shuffle).
    package mutating func distinctIndices(_ count: Int, below bound: Int) -> [Int] {
        precondition(count <= bound, "cannot draw \(count) different indices below \(bound)")
        var pool = Array(0..<bound)
        for i in 0..<count { pool.swapAt(i, i + index(below: bound - i)) }
        return Array(pool[..<count])
    }
}
