import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Blocks of 8-bit integers: every build rounds and widens with the bits of the naive loops.
@Suite struct Q8KernelTests {
    /// Numbers of many sizes, in 40 blocks: normal, large and small ones, halves, zeros, and what is too small for a scale.
    static let numbers: [Float] = {
        var numbers = OpCase.Input.normal("q8", [40, 32]).values
        for (block, power) in [-60, -40, -30, -26, -24, -22, -20, -18, -16, -10, 10, 18, 20].enumerated() {
            for index in 0..<32 { numbers[block * 32 + index] *= Float(sign: .plus, exponent: power, significand: 1) }
        }
        for index in 0..<32 {
            numbers[20 * 32 + index] = 0
            numbers[21 * 32 + index] = index % 2 == 0 ? 0 : -0.0
            // integers after rounding, and halves
            numbers[22 * 32 + index] = 4 * Float(index * 8 - 127)
            numbers[23 * 32 + index] = (Float(index) - 15.5) * 127 / 15.5 / 2
            numbers[24 * 32 + index] = index == 0 ? 127 : Float(index) / 2 - 8
            // the smallest scale that is not 0 in half precision, and the largest one that is
            numbers[25 * 32 + index] = index == 5 ? 127 * 0x1.000002p-25 : 0x1p-25
            numbers[26 * 32 + index] = index == 5 ? 127 * 0x1p-25 : 0x1p-26
            // the largest scale
            numbers[27 * 32 + index] = index == 9 ? -127 * 65519.5 : 1e6
            numbers[28 * 32 + index] = index == 31 ? Float.leastNonzeroMagnitude : 0
        }
        return numbers
    }()

    /// What the kernel makes of floats, in a buffer with 8 bytes more at an odd address; and the number of blocks.
    private static func rounded(_ kernels: Kernels.Table, _ numbers: [Float]) -> (bytes: [UInt8], blocks: Int) {
        var bytes = [UInt8](repeating: 0xA5, count: numbers.count / 32 * 34 + 9)
        let blocks = numbers.withUnsafeBufferPointer { from in
            bytes.withUnsafeMutableBufferPointer { to in
                guard let from = from.baseAddress, let to = to.baseAddress else { return 0 }
                return kernels.q8_round(numbers.count / 32, from, to + 1)
            }
        }
        return (Array(bytes.dropFirst()), blocks)
    }

    @Test func rounding() {
        let (expected, failed) = Naive.q8Blocks(Self.numbers)
        #expect(failed == nil && expected.count == 40 * 34)
        onEveryLevel { kernels, label in
            let (bytes, blocks) = Self.rounded(kernels, Self.numbers)
            let isSame = bytes == expected + [UInt8](repeating: 0xA5, count: 8)
            #expect(isSame, "\(label)")
            #expect(blocks == 40, "\(label)")
        }
        // the scalar form that files are written with
        var bytes: [UInt8] = []
        for first in stride(from: 0, to: Self.numbers.count, by: 32) {
            var block = [UInt8](repeating: 0, count: 34)
            #expect(Q8Block.encode(Array(Self.numbers[first..<first + 32]), into: &block))
            bytes += block
        }
        let isSame = bytes == expected
        #expect(isSame, "Q8Block")
        // the judge itself, by hand: scale 1, halves away from zero
        func block(_ index: Int) -> [UInt8] { Array(expected[index * 34..<index * 34 + 34]) }
        func integers(_ index: Int) -> [Int8] { block(index).dropFirst(2).map { Int8(bitPattern: $0) } }
        #expect(block(24)[0] == 0x00 && block(24)[1] == 0x3C)
        #expect(Array(integers(24)[..<5]) == [127, -8, -7, -7, -6])
        #expect(block(25)[0] == 1 && block(25)[1] == 0 && integers(25)[5] == 127)
        #expect(block(26).allSatisfy { $0 == 0 })
        #expect(block(27)[0] == 0xFF && block(27)[1] == 0x7B && integers(27)[9] == -127)
    }

    @Test("a block whose scale is not finite is named", arguments: [Float.infinity, -.infinity, .nan, -.nan, 8.33e6, -3e38])
    func notRepresentable(number: Float) {
        for at in [0, 33, 47, 64 + 15, 95] {
            var numbers = [Float](repeating: 1, count: 96)
            numbers[at] = number
            #expect(Naive.q8Blocks(numbers).failed == at / 32)
            onEveryLevel { kernels, label in
                let (bytes, blocks) = Self.rounded(kernels, numbers)
                #expect(blocks == at / 32, "\(number) at \(at), \(label)")
                #expect(bytes[(at / 32 * 34)...].allSatisfy { $0 == 0xA5 }, "\(label): the block was written")
            }
            var block = [UInt8](repeating: 7, count: 34)
            if number.isFinite {
                #expect(!Q8Block.encode(Array(numbers[at / 32 * 32..<at / 32 * 32 + 32]), into: &block))
                #expect(block == Array(repeating: 7, count: 34))
            }
        }
    }

    /// Else frozen weights would differ between a run and the same run resumed.
    @Test func roundingTwiceIsRoundingOnce() {
        let blocks = Naive.q8Blocks(Self.numbers).bytes
        let again = Naive.q8Widened(blocks, count: Self.numbers.count)
        #expect(Naive.q8Blocks(again).bytes == blocks)
        onEveryLevel { kernels, label in #expect(Array(Self.rounded(kernels, again).bytes.dropLast(8)) == blocks, "\(label)") }
        // every finite scale in half precision, with all integers up to 127
        for first in stride(from: 1, to: 0x7C00, by: 37) {
            var block: [UInt8] = [UInt8(first % 256), UInt8(first / 256), 127]
            for index in 0..<31 { block.append(UInt8(bitPattern: Int8((index * 8 + first) % 255 - 127))) }
            let numbers = Naive.q8Widened(block, count: 32)
            onEveryLevel { kernels, label in
                #expect(Array(Self.rounded(kernels, numbers).bytes.dropLast(8)) == block, "the scale \(first), \(label)")
            }
        }
    }

    /// Blocks of a matrix, at all positions in a block, with nothing written behind it. All integers, −128 too.
    @Test(arguments: [
        (rows: 1, n: 1, first: 0, stride: 0), (1, 32, 0, 0), (1, 31, 1, 0), (2, 33, 31, 65), (3, 16, 16, 32), (5, 17, 15, 47),
        (3, 64, 64, 128), (4, 100, 7, 200), (7, 1, 3, 33), (2, 15, 40, 15), (1, 320, 0, 0), (0, 5, 0, 5), (3, 0, 9, 7), (4, 48, 8, 96),
    ]) func widening(shape: (rows: Int, n: Int, first: Int, stride: Int)) {
        let (rows, n, first, stride) = shape
        var generator = SplitMix(state: 3)
        var bytes = (0..<40 * 34).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        // scales of all sizes: zeros, subnormal, normal and the largest, of both signs
        let scales: [UInt16] = [0x3C00, 0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x2E66, 0x8123]
        for block in 0..<40 {
            let bits = scales[block % scales.count]
            (bytes[block * 34], bytes[block * 34 + 1]) = (UInt8(bits % 256), UInt8(bits / 256))
        }
        for index in 2..<34 { bytes[index] = UInt8(bitPattern: Int8(index - 2 - 128)) }
        let all = Naive.q8Widened(bytes, count: 40 * 32)
        let expected = (0..<rows * n).map { all[first + $0 / n * stride + $0 % n].bitPattern }
        onEveryLevel { kernels, label in
            var out = [Float](repeating: 7, count: rows * n + 16)
            ([0] + bytes).withUnsafeBufferPointer { from in
                out.withUnsafeMutableBufferPointer { to in
                    guard let from = from.baseAddress, let to = to.baseAddress else { return }
                    kernels.q8_widen(rows, n, first, stride, from + 1, to)
                }
            }
            let behind = [UInt32](repeating: Float(7).bitPattern, count: 16)
            #expect(out.map(\.bitPattern) == expected + behind, "\(label)")
        }
        // the scalar form that files are read with
        let decoded = (0..<40).flatMap { (block: Int) -> [Float] in
            [Float](unsafeUninitializedCapacity: 32) { out, count in
                let part = Array(bytes[block * 34..<block * 34 + 34])
                if let to = out.baseAddress { Q8Block.decode(part, into: to) }
                count = 32
            }
        }
        #expect(decoded.map(\.bitPattern) == all.map(\.bitPattern))
    }

    /// Blocks with scales of several sizes, a zero and a negative one among them, and all integers.
    private static func blocks(_ count: Int) -> [UInt8] {
        var generator = SplitMix(state: 5)
        let scales: [UInt16] = [0x2400, 0x2000, 0xA155, 0x1C01, 0x0000, 0x23FF, 0x2E66]
        return (0..<count).flatMap { block in
            let bits = scales[block % scales.count]
            return [UInt8(bits % 256), UInt8(bits / 256)] + (0..<32).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        }
    }

    /// Sums of the definition, with the bits of `linear_few` for the same weight as floats; a row gets the same bits alone, and nothing is
    /// written behind the result. The depths have less than a block of the kernels, several, and a part of one.
    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 9, 13, 47, 50])
    func fewRows(rows: Int) {
        for (columns, depth) in [(1, 32), (5, 64), (6, 96), (13, 1056), (25, 2048), (12, 2080)] {
            let x = OpCase.Input.normal("x", [rows, depth]).values
            let bytes = Self.blocks(columns * depth / 32)
            let w = Naive.q8Widened(bytes, count: columns * depth)
            let expected = Naive.linear(x.map(Double.init), rows: rows, inputs: depth, weight: w.map(Double.init), outputs: columns)
            onEveryLevel { kernels, label in
                let label = "\(columns) columns, depth \(depth), \(label)"
                func product(_ rows: Int, _ x: [Float]) -> [Float] {
                    var out = [Float](repeating: .nan, count: rows * columns + 1)
                    ([0] + bytes).withUnsafeBufferPointer { from in
                        guard let from = from.baseAddress else { return }
                        kernels.q8_linear_few(rows, columns, depth, x, depth, from + 1, &out, columns)
                    }
                    #expect(out[rows * columns].isNaN, "\(label)")
                    return Array(out.dropLast())
                }
                let all = product(rows, x)
                expectClose(all, expected, relative: 1e-4, absolute: 1e-3, label: label)
                var floats = [Float](repeating: .nan, count: rows * columns)
                kernels.linear_few(rows, columns, depth, x, depth, w, &floats, columns)
                #expect(all.map(\.bitPattern) == floats.map(\.bitPattern), "\(label)")
                for row in [0, rows / 2, rows - 1] {
                    let one = product(1, Array(x[row * depth..<(row + 1) * depth]))
                    #expect(one == Array(all[row * columns..<(row + 1) * columns]), "row \(row), \(label)")
                }
            }
        }
    }

    /// A panel of blocks is that of the same numbers as floats, for a part of the depth of rows that are further apart, and nothing is
    /// written behind it.
    @Test(arguments: [1, 15, 16, 17, 33, 48, 63, 64])
    func packing(columns: Int) {
        for (depth, stride, first) in [(32, 32, 0), (96, 160, 64), (128, 128, 0)] {
            let bytes = Self.blocks(columns * stride / 32)
            let w = Naive.q8Widened(bytes, count: columns * stride)
            let count = depth / 2 * ((columns + 15) / 16 * 16)
            onEveryLevel { kernels, label in
                guard let pack = kernels.q8_pack else { return }
                var expected = [UInt32](repeating: 7, count: count + 16)
                var packed = expected
                w.withUnsafeBufferPointer { w in
                    if let w = w.baseAddress { kernels.bf16_pack(columns, depth, w + first, 1, stride, &expected) }
                }
                ([0] + bytes).withUnsafeBufferPointer { from in
                    if let from = from.baseAddress { pack(columns, depth, from + 1 + first / 32 * 34, stride / 32 * 34, &packed) }
                }
                #expect(packed == expected, "\(depth) of \(stride), \(label)")
                // by hand: the pair of elements 0 and 1 of every column, rounded
                for column in 0..<columns {
                    let pair = (0..<2).map { FloatConversion.narrowToBFloat16(w[column * stride + first + $0]) }
                    #expect(packed[column] == UInt32(pair[0]) | UInt32(pair[1]) << 16, "column \(column), \(label)")
                }
            }
        }
    }

    /// The judge: half precision by hand.
    @Test func halves() {
        #expect(Naive.half(0x3C00) == 1 && Naive.half(0xC000) == -2 && Naive.half(0x0001) == 0x1p-24 && Naive.half(0x7BFF) == 65504)
        #expect(Naive.nearestHalf(65519.9) == 0x7BFF && Naive.nearestHalf(65520) == nil && Naive.nearestHalf(0x1p-25) == 0)
        #expect(Naive.nearestHalf(1 + 0x1p-11) == 0x3C00 && Naive.nearestHalf(1 + 0x3p-11) == 0x3C02)
        for bits in stride(from: UInt16(0), to: 0x7C00, by: 7) {
            #expect(Naive.nearestHalf(Naive.half(bits)) == bits && Naive.half(bits) == Double(FloatConversion.widenFloat16(bits)))
        }
    }
}
