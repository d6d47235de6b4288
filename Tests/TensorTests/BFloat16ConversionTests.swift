import ShortFloats
import Tensor
import Testing
import _TestSupport

/// The kernels that convert arrays, against the conversion of single numbers.
@Suite struct BFloat16ConversionTests {
    @Test("every upper half with the lower halves around a tie: the bits of the rounding of single numbers")
    func rounding() {
        let lower: [UInt32] = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
        let numbers = lower.flatMap { low in (0...UInt32(UInt16.max)).map { Float(bitPattern: $0 << 16 | low) } }
        let expected = numbers.map { FloatConversion.narrowToBFloat16($0) }
        onEveryBuild { label, threads in
            guard threads == 1 else { return }
            let narrow = NarrowElements(count: numbers.count) { _ in }
            numbers.withUnsafeBufferPointer { if let base = $0.baseAddress { narrow.round(base, into: 0..<numbers.count) } }
            let got = (0..<numbers.count).map { UInt16(littleEndian: narrow.pointer[$0]) }
            if let wrong = got.indices.first(where: { got[$0] != expected[$0] }) {
                Issue.record("\(label): \(numbers[wrong]) became \(got[wrong]), not \(expected[wrong])")
            }
        }
    }

    @Test("rounding writes its range and nothing else, at any length")
    func ranges() {
        let numbers = OpCase.Input.normal("x", [80]).values
        onEveryBuild { label, _ in
            for length in 0...40 {
                for first in [0, 1, 5] {
                    let narrow = NarrowElements(count: 60) { $0.update(repeating: 7, count: 60) }
                    numbers.withUnsafeBufferPointer {
                        if let base = $0.baseAddress { narrow.round(base + 3, into: first..<first + length) }
                    }
                    let got = (0..<60).map { UInt16(littleEndian: narrow.pointer[$0]) }
                    let expected = (0..<60).map {
                        (first..<first + length).contains($0) ? FloatConversion.narrowToBFloat16(numbers[$0 - first + 3]) : 7
                    }
                    #expect(got == expected, "\(label), \(length) from \(first)")
                }
            }
        }
    }

    @Test("widening a block of a matrix, at any width")
    func widening() {
        let (rows, width) = (5, 47)
        let bits = (0..<rows * width).map { UInt16(truncatingIfNeeded: $0 &* 40_503 &+ 77) }
        let narrow = NarrowElements(count: bits.count) { for index in bits.indices { $0[index] = bits[index].littleEndian } }
        onEveryBuild { label, _ in
            for columns in [0..<47, 3..<4, 1..<17, 2..<34, 5..<47, 9..<9] {
                let block = Tensor.uninitialized([3, max(1, columns.count)]) { out in
                    out.update(repeating: 0, count: 3 * max(1, columns.count))
                    narrow.widen(rows: 1..<4, columns: columns, stride: width, into: out)
                }
                let got = block.values.prefix(3 * columns.count).map(\.bitPattern)
                let expected = (1..<4).flatMap { row in columns.map { UInt32(bits[row * width + $0]) << 16 } }
                #expect(got == expected, "\(label), columns \(columns)")
            }
        }
    }
}
