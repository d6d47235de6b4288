import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Rows of pairs of bfloat16 numbers that `bf16_narrow` writes, against a loop over the elements.
@Suite struct NarrowKernelTests {
    /// Rows that lie side by side, one by one, and with gaps in both directions: less than a block of 16 × 32 numbers, several, and
    /// parts of one. Nothing is written behind them.
    @Test(arguments: [1, 2, 15, 16, 17, 40], [1, 2, 31, 32, 33, 70])
    func rows(count: Int, depth: Int) {
        let x = OpCase.Input.normal("x", [(count + 3) * (depth + 3)]).values
        for (rowStride, depthStride) in [(1, count + 3), (depth + 3, 1), (1, count), (2, 2 * count)] {
            guard (count - 1) * rowStride + (depth - 1) * depthStride < x.count else { continue }
            let pairs = (depth + 1) / 2
            let expected = (0..<count * pairs).map { index in
                let bits = (0..<2).map { half -> UInt32 in
                    let p = index % pairs * 2 + half
                    return p < depth ? UInt32(FloatConversion.narrowToBFloat16(x[index / pairs * rowStride + p * depthStride])) : 0
                }
                return bits[0] | bits[1] << 16
            }
            onEveryLevel { kernels, label in
                var out = [UInt32](repeating: 7, count: count * pairs + 16)
                kernels.bf16_narrow(count, depth, x, rowStride, depthStride, &out)
                #expect(out == expected + [UInt32](repeating: 7, count: 16), "strides \(rowStride) and \(depthStride), \(label)")
            }
        }
    }
}
