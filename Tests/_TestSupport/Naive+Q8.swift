import Foundation

/// Blocks of 32 numbers as 8-bit integers with a scale in half precision, in Double and with one loop a number.
extension Naive {
    /// The number that bits in half precision stand for.
    public static func half(_ bits: UInt16) -> Double {
        let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
        let size =
            switch exponent {
            case 0: scalbn(fraction, -24)
            case 31: fraction == 0 ? Double.infinity : .nan
            default: scalbn(1024 + fraction, exponent - 25)
            }
        return bits >> 15 == 0 ? size : -size
    }

    /// The bits in half precision that are nearest to a number of at least 0, ties to even; nil if they would be infinite.
    public static func nearestHalf(_ x: Double) -> UInt16? {
        guard x.isFinite else { return nil }
        if x == 0 { return 0 }
        let exponent = max(Int(x.exponent), -14)
        // a fraction that is rounded up to 2048 carries into the exponent
        let bits = Int(scalbn(x, 10 - exponent).rounded(.toNearestOrEven)) + (exponent + 14) * 1024
        return bits < 0x7C00 ? UInt16(bits) : nil
    }

    /// Numbers as blocks, the last one filled up with zeros; or the index of the first block whose scale is not finite in half
    /// precision. The scale and its reciprocal are rounded to 32-bit floats, and so is every quotient before it is rounded to an
    /// integer.
    public static func q8Blocks(_ numbers: [Float]) -> (bytes: [UInt8], failed: Int?) {
        var bytes: [UInt8] = []
        for first in stride(from: 0, to: numbers.count, by: 32) {
            let part = (first..<first + 32).map { $0 < numbers.count ? Double(numbers[$0]) : 0 }
            let scale = part.contains { !$0.isFinite } ? Float.nan : Float((part.map(abs).max() ?? 0) / 127)
            guard let bits = nearestHalf(Double(scale)) else { return (bytes, first / 32) }
            bytes += [UInt8(bits % 256), UInt8(bits / 256)]
            for number in part {
                let quotient = bits == 0 ? 0 : Float(number * Double(Float(1 / Double(scale))))
                bytes.append(UInt8(bitPattern: Int8(Double(quotient).rounded(.toNearestOrAwayFromZero))))
            }
        }
        return (bytes, nil)
    }

    /// The first `count` numbers of blocks.
    public static func q8Widened(_ bytes: [UInt8], count: Int) -> [Float] {
        (0..<count).map { index in
            let block = index / 32 * 34
            let integer = Int8(bitPattern: bytes[block + 2 + index % 32])
            return Float(half(UInt16(bytes[block]) + 256 * UInt16(bytes[block + 1])) * Double(integer))
        }
    }
}
