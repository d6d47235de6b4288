import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Stochastic rounding to bfloat16: the bits of a naive loop on every build and any number of threads, and its mean.
@Suite struct StochasticRoundingTests {
    private static func bits(_ narrow: NarrowElements) -> [UInt16] {
        UnsafeBufferPointer(start: narrow.pointer, count: narrow.count).map { UInt16(littleEndian: $0) }
    }

    /// The 16 random bits of an element.
    private static func noise(_ index: Int, _ random: Philox) -> UInt32 {
        let block = Philox.block(counter: (UInt64(index / 8), random.stream), key: (random.key0, random.key1))
        return UInt32(truncatingIfNeeded: (index % 8 < 4 ? block.0 : block.1) >> UInt64(16 * (index % 4))) & 0xFFFF
    }

    /// Away from zero if the random bits and those that are cut off carry; a finite number never becomes infinite.
    private static func expected(_ numbers: [Float], _ random: Philox) -> [UInt16] {
        numbers.enumerated().map { index, number in
            let (upper, lower) = (UInt16(number.bitPattern >> 16), number.bitPattern & 0xFFFF)
            guard lower + noise(index, random) > 0xFFFF, upper & 0x7FFF < 0x7F7F else { return upper }
            return upper + 1
        }
    }

    @Test("the bits of the naive loop", arguments: [0, 1, 7, 8, 9, 16_384, 40_001])
    func naive(count: Int) {
        let random = Philox(seed: 7).split("weights")
        let tensor = OpCase.Input.normal("x", [count]).tensor
        let expected = Self.expected(tensor.values, random)
        onEveryBuild { label, _ in
            let narrow = NarrowElements.roundingStochastically(tensor, with: random)
            let isSame = Self.bits(narrow) == expected
            #expect(isSame, "\(label)")
            #expect(narrow.format == .bf16 && narrow.count == count && !narrow.keepsPacking && narrow.original == nil)
        }
        guard count > 100 else { return }
        #expect(Self.bits(.roundingStochastically(tensor, with: random.split(1))) != expected)
    }

    @Test("numbers of the format stay, and what is not finite")
    func special() {
        let exact: [Float] = [0, -0.0, 1, -1.5, 0x1p-133, 3.3895314e38, .infinity, -.infinity]
        let large = Float.greatestFiniteMagnitude
        let numbers = Array(repeating: exact + [.nan, Float(bitPattern: 0x7F80_0001), large, -large], count: 50).flatMap { $0 }
        onEveryBuild { label, _ in
            let narrow = NarrowElements.roundingStochastically(Tensor(numbers, shape: [numbers.count]), with: Philox(seed: 1))
            for (number, bits) in zip(numbers, Self.bits(narrow)) {
                let result = FloatConversion.widenBFloat16(bits)
                if number.isNaN {
                    #expect(result.isNaN, "\(label)")
                } else if abs(number) == large {
                    #expect(result.isFinite && abs(result) > 3.38e38 && (result < 0) == (number < 0), "\(label)")
                } else {
                    #expect(result.bitPattern == number.bitPattern, "\(label): \(number)")
                }
            }
        }
    }

    @Test("the expected result is the number", arguments: [Float(1), -1, 0x1p-20, -3])
    func mean(start: Float) {
        let count = 80_000
        for eighths in 0...8 {
            // between a number of the format and the next one away from zero
            let number = Float(bitPattern: start.bitPattern + UInt32(eighths) << 13)
            let random = Philox(seed: 3).split(UInt64(eighths))
            let bits = Self.bits(.roundingStochastically(.filled(number, [count]), with: random))
            let lower = UInt16(start.bitPattern >> 16)
            #expect(bits.allSatisfy { $0 == lower || $0 == lower + 1 })
            let share = Double(bits.count { $0 == lower + 1 }) / Double(count)
            // five standard deviations of a share of 80000
            #expect(abs(share - Double(eighths) / 8) <= 0.009, "\(start), \(eighths): \(share)")
            if eighths % 8 == 0 { #expect(share == Double(eighths / 8)) }
        }
    }

    @Test("elements are replaced in their format, in memory that no other tensor shares")
    func replace() throws {
        let numbers = Tensor((0..<40).map { Float($0) }, shape: [5, 8])
        var narrow = Tensor(shape: [5, 8], narrow: .roundingStochastically(numbers, with: Philox(seed: 1)))
        let before = narrow
        [Float](repeating: -2, count: 3).withUnsafeBufferPointer { narrow.replace(7..<10, with: $0) }
        #expect(before.isIdentical(to: numbers))
        #expect(narrow.storage.format == .bf16 && !narrow.sharesMemory(with: before) && !narrow.storage.isReadableAgain)
        let expected = (0..<40).map { (7..<10).contains($0) ? -2 : Float($0) }
        #expect(narrow.values == expected)
        // now in place
        [Float(5)].withUnsafeBufferPointer { narrow.replace(39..<40, with: $0) }
        #expect(narrow.values == expected.dropLast() + [5] && narrow.storage.format == .bf16)
        var floats = numbers
        [Float(-1)].withUnsafeBufferPointer { floats.replace(0..<1, with: $0) }
        #expect(floats.values == [-1] + numbers.values.dropFirst() && numbers.values[0] == 0)
    }
}
