import Tensor
import Testing
import _TestSupport

/// Products that are cut for several threads.
@Suite struct BLASTests {
    /// Below, around and above the sizes at which a product is cut, with whole and broken tiles on every side.
    static let shapes = [
        (100, 33, 100), (160, 160, 40), (200, 100, 100), (201, 100, 100), (128, 256, 128), (129, 257, 131), (48, 768, 256),
        (300, 256, 768), (301, 770, 257), (1_000, 333, 77), (64, 2_000, 100), (2_000, 64, 100), (16, 16, 20_000), (60, 1_000, 1_300),
    ]

    @Test(arguments: shapes, [(false, false), (false, true), (true, false), (true, true)])
    func theNumberOfThreadsDoesNotChangeTheBits(shape: (m: Int, n: Int, k: Int), transposed: (Bool, Bool)) {
        let product = OpCases.matmul(
            m: shape.m, n: shape.n, k: shape.k, transposed: transposed.0, otherTransposed: transposed.1)
        let inputs = product.inputs.map(\.tensor)
        for level in Kernels.available {
            Kernels.$level.withValue(level) {
                let one = Compute.$threads.withValue(1) { product.run(inputs).values }
                for threads in [2, 3, 4, 7] {
                    let several = Compute.$threads.withValue(threads) { product.run(inputs).values }
                    let different = zip(one, several).count { $0.bitPattern != $1.bitPattern }
                    #expect(different == 0, "\(level), \(threads) threads, \(one.count) numbers")
                }
            }
        }
    }

    /// OpenBLAS is the judge of the package's own kernel.
    @Test(arguments: shapes, [(false, false), (false, true), (true, false), (true, true)])
    func ownProductsAreThoseOfOpenBLAS(shape: (m: Int, n: Int, k: Int), transposed: (Bool, Bool)) {
        let (m, n, k) = shape
        func matrix(_ name: String, _ rows: Int, _ columns: Int, transposed: Bool) -> (Tensor, MatrixView) {
            let tensor = OpCase.Input.normal(name, transposed ? [columns, rows] : [rows, columns]).tensor
            return (
                tensor,
                transposed ? .transposed(tensor.pointer, stride: rows) : .plain(tensor.pointer, stride: columns)
            )
        }
        let (a, left) = matrix("a", m, k, transposed: transposed.0)
        let (b, right) = matrix("b", k, n, transposed: transposed.1)
        let ours = Tensor.uninitialized([m, n]) {
            MatrixProduct.multiply(m: m, n: n, k: k, left, .floats(right), into: $0, stride: n)
        }
        let judge = Tensor.uninitialized([m, n]) {
            BLAS.multiply(m: m, n: n, k: k, left, right, into: $0, stride: n)
        }
        // sums of k products of numbers around 1
        expectClose(ours, judge, relative: 1e-5, absolute: 1e-5 * Double(k).squareRoot())
        withExtendedLifetime((a, b)) {}
    }

    @Test(arguments: [(300, 96, 128), (129, 257, 131)]) func cutProductsAreRight(shape: (m: Int, n: Int, k: Int)) {
        OpCases.linear(rows: shape.m, inputs: shape.k, outputs: shape.n, bias: true).with(absolute: 2e-6).checkValues()
    }

    /// `beta` 1 adds to what is there, 0 writes, whatever was there.
    @Test(arguments: [0, 5, 200, 1_100], [100, 600]) func betaAddsToTheResult(k: Int, n: Int) {
        let m = 130
        let (a, b) = (OpCase.Input.normal("a", [m, k]).tensor, OpCase.Input.normal("b", [k, n]).tensor)
        let product = a.matmul(b).values
        for threads in [1, 2] {
            Compute.$threads.withValue(threads) {
                for beta: Float in [0, 1] {
                    // a margin of columns stays untouched
                    let start = Tensor.filled(beta == 0 ? .nan : 3, [m, n + 5])
                    var c = start
                    c.update { c in
                        if let base = c.baseAddress {
                            MatrixProduct.multiply(
                                m: m, n: n, k: k, .plain(a.pointer, stride: k), .floats(.plain(b.pointer, stride: n)), into: base,
                                stride: n + 5, beta: beta)
                        }
                    }
                    for row in 0..<m {
                        let values = c.values[row * (n + 5)..<(row + 1) * (n + 5)]
                        expectClose(
                            Array(values.prefix(n)), product[row * n..<(row + 1) * n].map { Double($0) + 3 * Double(beta) },
                            absolute: k > 1_000 ? 1e-4 : 1e-5)
                        #expect(values.suffix(5).allSatisfy { beta == 0 ? $0.isNaN : $0 == 3 })
                    }
                }
            }
        }
    }
}
