import Models
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
        for bits in UInt16.min...UInt16.max {
            let half = value(bits, exponentBits: 5, fractionBits: 10)
            let brain = value(bits, exponentBits: 8, fractionBits: 7)
            let (ourHalf, ourBrain) = (FloatConversion.widenFloat16(bits), FloatConversion.widenBFloat16(bits))
            #expect(half.isNaN ? ourHalf.isNaN : Double(ourHalf) == half)
            #expect(brain.isNaN ? ourBrain.isNaN : Double(ourBrain) == brain)
            #expect(ourHalf.sign == (bits >> 15 == 0 ? .plus : .minus))
        }
    }

    @Test func everyShortNumberSurvivesTheRoundTrip() {
        for bits in UInt16.min...UInt16.max {
            let half = FloatConversion.widenFloat16(bits)
            let brain = FloatConversion.widenBFloat16(bits)
            if half.isNaN {
                #expect(FloatConversion.widenFloat16(FloatConversion.narrowToFloat16(half)).isNaN)
            } else {
                #expect(FloatConversion.narrowToFloat16(half) == bits)
            }
            if brain.isNaN {
                #expect(FloatConversion.widenBFloat16(FloatConversion.narrowToBFloat16(brain)).isNaN)
            } else {
                #expect(FloatConversion.narrowToBFloat16(brain) == bits)
            }
        }
    }

    /// Between two neighbours the nearer one, at the middle the even one, and just beside the middle not.
    @Test func roundsToNearestTiesToEven() {
        for bits in UInt16(0)..<0x7F7F {
            let (low, high) = (FloatConversion.widenBFloat16(bits), FloatConversion.widenBFloat16(bits + 1))
            expectRounding(low, high, even: bits & 1 == 0 ? bits : bits + 1, FloatConversion.narrowToBFloat16, bits)
        }
        for bits in UInt16(0)..<0x7BFF {
            let (low, high) = (FloatConversion.widenFloat16(bits), FloatConversion.widenFloat16(bits + 1))
            expectRounding(low, high, even: bits & 1 == 0 ? bits : bits + 1, FloatConversion.narrowToFloat16, bits)
        }
    }

    func expectRounding(
        _ low: Float, _ high: Float, even: UInt16, _ narrow: (Float) -> UInt16, _ lowBits: UInt16
    ) {
        let middle = low + (high - low) / 2
        #expect(narrow(middle) == even)
        #expect(narrow(middle.nextDown) == lowBits)
        #expect(narrow(middle.nextUp) == lowBits + 1)
        #expect(narrow(-middle) == even | 0x8000)
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
