import Tensor
import Testing
import _TestSupport

/// Products of all small numbers of rows and columns: whole tiles and panels, and every remainder.
@Suite struct TileEdgeTests {
    private static let (rows, columns) = (13, 70)

    /// A factor of the products: its numbers, and what they are in Double, exact or rounded to bfloat16.
    private struct Factor {
        let values: [Float]
        var doubles: [Double] { values.map(Double.init) }
        var rounded: [Double] { values.map { Double(Naive.roundedToBFloat16($0)) } }
    }

    private static func naive(_ a: [Double], _ b: [Double], depth: Int) -> [Double] {
        (0..<rows * columns).map { place in
            (0..<depth).reduce(0) { $0 + a[place / columns * depth + $1] * b[$1 * columns + place % columns] }
        }
    }

    /// The first rows and columns of a matrix of 13 rows and 70 columns.
    private static func corner(_ matrix: [Float], _ rows: Int, _ columns: Int) -> [Float] {
        (0..<rows).flatMap { matrix[$0 * Self.columns..<$0 * Self.columns + columns] }
    }

    /// Calls `body` with the addresses of both arrays.
    private static func withAddresses<A, B>(
        _ a: [A], _ b: inout [B], _ body: (UnsafePointer<A>, UnsafeMutablePointer<B>) -> Void
    ) {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeMutableBufferPointer { b in
                if let a = a.baseAddress, let b = b.baseAddress { body(a, b) }
            }
        }
    }

    /// The product of the first rows of A and the first columns of B. Nothing is written behind it.
    private static func floats(_ kernels: Kernels.Table, _ a: Factor, _ b: Factor, _ rows: Int, _ columns: Int, depth: Int) -> [Float] {
        let width = (columns + 15) / 16 * 16
        var panels = [Float](repeating: .nan, count: depth * width)
        withAddresses(b.values, &panels) { b, panels in
            for first in stride(from: 0, to: columns, by: 64) {
                kernels.f32_pack(min(64, columns - first), depth, b + first, Self.columns, 1, panels + first * depth)
            }
        }
        var c = [Float](repeating: 7, count: rows * columns + 16)
        kernels.f32_product(rows, columns, depth, a.values, depth, panels, &c, columns, 0)
        #expect(c.suffix(16).allSatisfy { $0 == 7 })
        return Array(c.dropLast(16))
    }

    private static func rounded(_ kernels: Kernels.Table, _ a: Factor, _ b: Factor, _ rows: Int, _ columns: Int, depth: Int) -> [Float] {
        let (width, pairs) = ((columns + 15) / 16 * 16, (depth + 1) / 2)
        var panels = [UInt32](repeating: 0, count: pairs * width)
        withAddresses(b.values, &panels) { b, panels in
            for first in stride(from: 0, to: columns, by: 64) {
                kernels.bf16_pack(min(64, columns - first), depth, b + first, Self.columns, 1, panels + first * pairs)
            }
        }
        var narrow = [UInt32](repeating: 0, count: 16 * pairs)
        kernels.bf16_narrow(rows, depth, a.values, depth, 1, &narrow)
        var c = [Float](repeating: 7, count: rows * columns + 16)
        kernels.bf16_product(rows, columns, depth, narrow, panels, &c, columns, 0)
        #expect(c.suffix(16).allSatisfy { $0 == 7 })
        return Array(c.dropLast(16))
    }

    /// An element has the same bits whatever rows and columns are beside it, and they are those of the right sum. The depths are one
    /// element, less than a block, an odd one beyond a block of widened pairs, and one beyond a block of floats.
    @Test(arguments: [1, 37, 131, 300]) func everyRemainder(depth: Int) {
        let a = Factor(values: OpCase.Input.normal("a", [Self.rows, depth]).values)
        let b = Factor(values: OpCase.Input.normal("b", [depth, Self.columns]).values)
        let (exact, exactOfRounded) = (Self.naive(a.doubles, b.doubles, depth: depth), Self.naive(a.rounded, b.rounded, depth: depth))
        onEveryLevel { kernels, label in
            let whole = Self.floats(kernels, a, b, Self.rows, Self.columns, depth: depth)
            let wholeRounded = Self.rounded(kernels, a, b, Self.rows, Self.columns, depth: depth)
            expectClose(whole, exact, relative: 1e-5, absolute: 2e-4, label: "f32, \(label)")
            expectClose(wholeRounded, exactOfRounded, relative: 1e-5, absolute: 2e-4, label: "bf16, \(label)")
            for rows in 1...Self.rows {
                for columns in 1...Self.columns {
                    let floats = Self.floats(kernels, a, b, rows, columns, depth: depth)
                    #expect(floats == Self.corner(whole, rows, columns), "f32, \(rows) × \(columns), \(label)")
                    let rounded = Self.rounded(kernels, a, b, rows, columns, depth: depth)
                    #expect(rounded == Self.corner(wholeRounded, rows, columns), "bf16, \(rows) × \(columns), \(label)")
                }
            }
        }
    }

    /// A few rows of a linear layer that is deeper than a block, and more rows than those whose sums are kept between blocks.
    @Test(arguments: [1, 2, 3, 16, 47, 50]) func fewRowsOfADeepLayer(rows: Int) {
        KernelTests.checkFewRows(rows, columns: 11, depth: 2_065, absolute: 2e-4)
    }
}
