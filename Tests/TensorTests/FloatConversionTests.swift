import ShortFloats
import Tensor
import Testing

struct FloatConversionTests {
    /// The value of sixteen bits of a format by its definition, in `Double`.
    func value(_ bits: UInt16, exponentBits: Int, fractionBits: Int) -> Double {
        let sign: Double = bits >> 15 == 0 ? 1 : -1
        let exponent = Int(bits >> UInt16(fractionBits)) & (1 << exponentBits - 1)
        let fraction = Double(Int(bits) & (1 << fractionBits - 1)) / Double(1 << fractionBits)
        let bias = 1 << (exponentBits - 1) - 1
        if exponent == 1 << exponentBits - 1 { return fraction == 0 ? sign * .infinity : .nan }
        let significand = exponent == 0 ? fraction : 1 + fraction
        return sign * Double(sign: .plus, exponent: max(exponent, 1) - bias, significand: significand)
    }

    @Test func everyShortNumberWidensExactly() {
        let wrong = (UInt16.min...UInt16.max).filter { bits in
            let half = value(bits, exponentBits: 5, fractionBits: 10)
            let brain = value(bits, exponentBits: 8, fractionBits: 7)
            let (ourHalf, ourBrain) = (FloatConversion.widenFloat16(bits), FloatConversion.widenBFloat16(bits))
            let halfIsRight = half.isNaN ? ourHalf.isNaN : Double(ourHalf) == half
            let brainIsRight = brain.isNaN ? ourBrain.isNaN : Double(ourBrain) == brain
            return !halfIsRight || !brainIsRight || ourHalf.sign != (bits >> 15 == 0 ? .plus : .minus)
        }
        #expect(wrong.isEmpty, "\(wrong.count) wrong, first \(wrong.prefix(5))")
    }

    @Test func everyShortNumberSurvivesTheRoundTrip() {
        let wrong = (UInt16.min...UInt16.max).filter { bits in
            let half = FloatConversion.widenFloat16(bits)
            let brain = FloatConversion.widenBFloat16(bits)
            let (halfBits, brainBits) = (FloatConversion.narrowToFloat16(half), FloatConversion.narrowToBFloat16(brain))
            let halfIsRight = half.isNaN ? FloatConversion.widenFloat16(halfBits).isNaN : halfBits == bits
            let brainIsRight = brain.isNaN ? FloatConversion.widenBFloat16(brainBits).isNaN : brainBits == bits
            return !halfIsRight || !brainIsRight
        }
        #expect(wrong.isEmpty, "\(wrong.count) wrong, first \(wrong.prefix(5))")
    }

    /// Between two neighbours the nearer one, at the middle the even one, and just beside the middle not.
    @Test func roundsToNearestTiesToEven() {
        let brains = (UInt16(0)..<0x7F7F).filter {
            !roundsWell($0, widen: FloatConversion.widenBFloat16, narrow: FloatConversion.narrowToBFloat16)
        }
        let halves = (UInt16(0)..<0x7BFF).filter {
            !roundsWell($0, widen: FloatConversion.widenFloat16, narrow: FloatConversion.narrowToFloat16)
        }
        #expect(brains.isEmpty, "\(brains.count) wrong, first \(brains.prefix(5))")
        #expect(halves.isEmpty, "\(halves.count) wrong, first \(halves.prefix(5))")
    }

    /// Whether the numbers between `bits` and its successor round as they should.
    func roundsWell(_ bits: UInt16, widen: (UInt16) -> Float, narrow: (Float) -> UInt16) -> Bool {
        let (low, high) = (widen(bits), widen(bits + 1))
        let even = bits & 1 == 0 ? bits : bits + 1
        let middle = low + (high - low) / 2
        return narrow(middle) == even && narrow(-middle) == even | 0x8000 && narrow(middle.nextDown) == bits
            && narrow(middle.nextUp) == bits + 1
    }

    @Test func numbersBeyondTheLargestBecomeInfinite() {
        #expect(FloatConversion.narrowToFloat16(65519) == 0x7BFF)
        #expect(FloatConversion.narrowToFloat16(65520) == 0x7C00)
        #expect(FloatConversion.narrowToFloat16(-.infinity) == 0xFC00)
        #expect(FloatConversion.narrowToBFloat16(.greatestFiniteMagnitude) == 0x7F80)
        #expect(FloatConversion.narrowToFloat16(0x1p-25) == 0)
        #expect(FloatConversion.narrowToFloat16(Float(0x1p-25).nextUp) == 1)
    }
}
