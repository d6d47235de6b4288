/// A permuted congruential generator with 128 bits of state (PCG XSL-RR 128/64, M. E. O'Neill 2014).
///
/// Gives the same integers as `numpy.random.Generator(PCG64(seed))` for the same seed. The state can be stored and
/// restored.
public struct PCG64: RandomNumberGenerator, Codable, Sendable, Equatable {
    private var stateHigh: UInt64
    private var stateLow: UInt64
    private var incrementHigh: UInt64
    private var incrementLow: UInt64
    /// The unused high half of the last word, if a 32-bit draw used its low half.
    private var bufferedHalf: UInt32?

    private static let multiplier = UInt128(2_549_297_995_355_413_924) << 64 | UInt128(4_865_540_595_714_422_341)

    /// Creates a generator for `seed`. Different spawn keys give independent streams for the same seed.
    public init(seed: UInt64, spawnKey: [UInt32] = []) {
        self.init(SeedSequence(seed, spawnKey: spawnKey))
    }

    /// Creates a generator whose state and stream are initialised from four words of `sequence`.
    public init(_ sequence: SeedSequence) {
        let words = sequence.words(4)
        let start = UInt128(words[0]) << 64 | UInt128(words[1])
        let stream = UInt128(words[2]) << 64 | UInt128(words[3])
        let increment = stream << 1 | 1
        // Initialise from state 0: step, add the seed, step.
        let state = (increment &+ start) &* Self.multiplier &+ increment
        stateHigh = UInt64(truncatingIfNeeded: state >> 64)
        stateLow = UInt64(truncatingIfNeeded: state)
        incrementHigh = UInt64(truncatingIfNeeded: increment >> 64)
        incrementLow = UInt64(truncatingIfNeeded: increment)
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        let increment = UInt128(incrementHigh) << 64 | UInt128(incrementLow)
        let state = (UInt128(stateHigh) << 64 | UInt128(stateLow)) &* Self.multiplier &+ increment
        stateHigh = UInt64(truncatingIfNeeded: state >> 64)
        stateLow = UInt64(truncatingIfNeeded: state)
        let word = stateHigh ^ stateLow
        let turn = stateHigh >> 58
        return word >> turn | word << ((64 &- turn) & 63)
    }

    /// The next 32 random bits: first the low half of a word, then its high half.
    public mutating func nextHalf() -> UInt32 {
        if let half = bufferedHalf {
            bufferedHalf = nil
            return half
        }
        let word: UInt64 = next()
        bufferedHalf = UInt32(truncatingIfNeeded: word >> 32)
        return UInt32(truncatingIfNeeded: word)
    }

    /// A uniformly distributed number in `0..<bound` (D. Lemire's multiplication with rejection, on 32-bit draws).
    /// - Precondition: `bound` is in 1...2³².
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound >= 1 && bound <= 1 << 32, "the bound \(bound) is not in 1...2^32")
        if bound == 1 { return 0 }
        if bound == 1 << 32 { return Int(nextHalf()) }
        let n = UInt32(bound)
        var product = UInt64(nextHalf()) * UInt64(n)
        if UInt32(truncatingIfNeeded: product) < n {
            let threshold = (0 &- n) % n
            while UInt32(truncatingIfNeeded: product) < threshold { product = UInt64(nextHalf()) * UInt64(n) }
        }
        return Int(product >> 32)
    }

    /// A random permutation of `0..<count` (Fisher–Yates shuffle, from the end).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
        return order
    }

    /// A uniformly chosen element.
    /// - Precondition: `elements` is not empty.
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
