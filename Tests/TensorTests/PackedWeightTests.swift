import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Products with packed weights against the same sums in Double.
@Suite struct PackedWeightTests {
    private static func random(_ name: String, _ rows: Int, _ columns: Int) -> Tensor {
        OpCase.Input.normal(name, [rows, columns]).tensor
    }

    /// All heights of tiles, panels that are not full, more rows than columns and fewer, a depth of
    /// more than one block, more panels than a group has.
    static let shapes: [(rows: Int, depth: Int, columns: Int)] = [
        (1, 16, 16), (2, 17, 33), (3, 1, 64), (6, 32, 65), (7, 33, 130), (16, 64, 48), (29, 31, 20), (13, 100, 128),
        (200, 40, 130), (5, 2_100, 18), (61, 1_100, 450), (100, 30, 200),
    ]

    @Test(arguments: shapes) func products(shape: (rows: Int, depth: Int, columns: Int)) {
        let (rows, depth, columns) = shape
        let (a, w) = (Self.random("a", rows, depth), Self.random("w", columns, depth))
        let (x, y) = (a.values.map(Double.init), w.values.map(Double.init))
        var naive = [Double](repeating: 0, count: rows * columns)
        for i in 0..<rows {
            for j in 0..<columns {
                naive[i * columns + j] = (0..<depth).reduce(0) { $0 + x[i * depth + $1] * y[j * depth + $1] }
            }
        }
        var single: [PanelFormat: [Float]] = [:]
        onEveryBuild { label, threads in
            let isTiled = Kernels.current.pointee.split_product != nil && depth >= 16 && columns >= 16
            for format in isTiled ? [PanelFormat.floats, .split] : [.floats] {
                let label = "\(label), \(format)"
                let packed = PackedWeight(
                    format,
                    depth: depth, columns: columns, .floats(.transposed(w.pointer, stride: depth)))
                let once = Tensor.uninitialized([rows, columns]) {
                    packed.multiply(rows: rows, .plain(a.pointer, stride: depth), into: $0, stride: columns)
                }
                expectClose(once.values, naive, relative: 1e-5, absolute: 2e-4, label: label)
                if threads == 1 { single[format] = once.values }
                #expect(once.values == single[format], "\(label)")
                var twice = once
                twice.update {
                    if let base = $0.baseAddress {
                        packed.multiply(rows: rows, .plain(a.pointer, stride: depth), into: base, stride: columns, beta: 1)
                    }
                }
                expectClose(twice.values, naive.map { 2 * $0 }, relative: 1e-5, absolute: 4e-4, label: "\(label), added")
                // a row alone has the bits that it has in company
                for row in [0, rows / 2, rows - 1] {
                    let alone = Tensor.uninitialized([1, columns]) {
                        packed.multiply(rows: 1, .plain(a.pointer + row * depth, stride: depth), into: $0, stride: columns)
                    }
                    #expect(alone.values == Array(once.values[row * columns..<(row + 1) * columns]), "\(label), row \(row)")
                }
            }
        }
    }

    /// Every format that this processor multiplies, with the left-hand and the right-hand matrix read either way, and the right-hand one
    /// stored either way: the same bits, and those of a matrix that is packed on the fly.
    @Test(arguments: [(50, 33, 70), (29, 391, 500), (130, 1_100, 65)])
    func formatsAndStorages(shape: (m: Int, k: Int, n: Int)) {
        let (m, k, n) = shape
        // numbers that bfloat16 can hold, and blocks of the scale 1
        func narrowed(_ tensor: Tensor) -> (wide: Tensor, narrow: Tensor, blocks: Tensor) {
            let integers = tensor.values.map { max(-128, min(127, ($0 * 40).rounded())) }
            let bits = integers.map(FloatConversion.narrowToBFloat16)
            let blocks = Storage(byteCount: NumberFormat.q8.byteCount(of: bits.count))
            let bytes = UnsafeMutableRawBufferPointer(start: blocks.pointer, count: NumberFormat.q8.byteCount(of: bits.count))
            for index in bytes.indices {
                let at = index / 34 * 32 + index % 34 - 2
                switch index % 34 {
                case 0: bytes[index] = 0x00
                case 1: bytes[index] = 0x3C
                default: bytes[index] = at < integers.count ? UInt8(bitPattern: Int8(integers[at])) : 0
                }
            }
            return (
                Tensor(integers, shape: tensor.shape),
                Tensor(
                    shape: tensor.shape,
                    narrow: NarrowElements(count: bits.count) { out in
                        for index in bits.indices { out[index] = bits[index].littleEndian }
                    }),
                Tensor(shape: tensor.shape, narrow: NarrowElements(.q8, blocks.pointer, count: bits.count, owner: blocks))
            )
        }
        let (a, turnedA) = (Self.random("a", m, k), Self.random("a", m, k).transposedCopy)
        let b = Self.random("b", k, n)
        let (plain, turned) = (narrowed(b), narrowed(b.transposedCopy))
        let sides: [RightHandMatrix] = [
            RightHandMatrix(plain.wide, transposed: false),
            RightHandMatrix(turned.wide, transposed: true),
            RightHandMatrix(plain.narrow, transposed: false),
            RightHandMatrix(turned.narrow, transposed: true),
            RightHandMatrix(plain.blocks, transposed: false),
            RightHandMatrix(turned.blocks, transposed: true),
        ]
        onEveryBuild { label, _ in
            for format in Kernels.current.pointee.split_product != nil
                ? PanelFormat.allCases : [.floats, .bf16]
            {
                var results: [[Float]] = []
                for side in sides {
                    let packed = PackedWeight(format, depth: k, columns: n, side)
                    for left in [
                        MatrixView.plain(a.pointer, stride: k), .transposed(turnedA.pointer, stride: m),
                    ] {
                        results.append(
                            Tensor.uninitialized([m, n]) { packed.multiply(rows: m, left, into: $0, stride: n) }
                                .values)
                    }
                }
                #expect(results.allSatisfy { $0 == results[0] }, "\(label), \(format)")
            }
            let passing = sides.map { side in
                Tensor.uninitialized([m, n]) {
                    MatrixProduct.multiply(
                        m: m, n: n, k: k, .plain(a.pointer, stride: k), side, into: $0, stride: n)
                }.values
            }
            #expect(passing.allSatisfy { $0 == passing[0] }, "\(label), packed in passing")
            #expect(
                plain.narrow.matmul(a, transposed: true, otherTransposed: true).values
                    == plain.wide.matmul(a, transposed: true, otherTransposed: true).values)
            #expect(
                plain.blocks.matmul(a, transposed: true, otherTransposed: true).values
                    == plain.wide.matmul(a, transposed: true, otherTransposed: true).values)
        }
        withExtendedLifetime((a, turnedA)) {
        }
    }

    /// A weight as it comes out of a file: a view of memory that belongs to another.
    private final class File: ReadableAgain {
        let content: Tensor
        nonisolated(unsafe) var forgotten = 0
        init(_ content: Tensor) { self.content = content }
        func forget(_ pointer: UnsafeRawPointer, byteCount: Int) { forgotten += 1 }
        var tensor: Tensor {
            Tensor(
                shape: content.shape,
                storage: Storage(viewing: UnsafeRawPointer(content.pointer), byteCount: content.count * 4, owner: self))
        }
    }

    @Test func aLayerFromAFile() {
        let (weight, x) = (Self.random("w", 70, 40), Self.random("x", 90, 40))
        onEveryBuild { label, _ in
            let file = File(weight)
            let view = file.tensor
            for rows in [1, 16, 90] {
                let part = x.rows(0..<rows)
                expectClose(
                    part.linear(view), part.linear(weight), relative: 1e-5, absolute: 2e-5, label: "\(label), \(rows) rows")
            }
        }
    }

    @Test func theGradientsOfALayerFromAFile() {
        let (weight, x) = (Self.random("w", 70, 40), Self.random("x", 90, 40))
        func gradients(_ weight: Tensor, trained: Bool) -> [Tensor] {
            let tape = Tape()
            let (x, w) = (tape.variable(x), trained ? tape.variable(weight) : weight)
            return tape.backward(from: x.linear(w).squared().sum(), variables: trained ? [x, w] : [x])
        }
        let file = File(weight)
        for trained in [false, true] {
            for (a, b) in zip(gradients(file.tensor, trained: trained), gradients(weight, trained: trained)) {
                expectClose(a, b, relative: 1e-4, absolute: 1e-2)
            }
        }
    }

    @Test func aChangedWeightIsPackedAnew() {
        let x = Self.random("x", 4, 40)
        var weight = File(Self.random("w", 70, 40)).tensor
        let before = x.linear(weight).values
        weight.update { for index in $0.indices { $0[index] *= 2 } }
        expectClose(x.linear(weight).values, before.map { Double(2 * $0) }, relative: 1e-5, absolute: 1e-4, label: "twice")
    }
}

extension Tensor {
    fileprivate var transposedCopy: Tensor {
        let (rows, columns) = (shape[0], shape[1])
        let values = self.values
        return Tensor(
            (0..<count).map { values[$0 % rows * columns + $0 / rows] }, shape: [columns, rows])
    }
}
