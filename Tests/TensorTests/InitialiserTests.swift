import Tensor
import Testing
import _TestSupport

@Suite struct OrthogonalInitialiserTests {
    @Test(arguments: [(1, 1), (1, 7), (7, 1), (16, 16), (33, 17), (17, 33), (100, 64)], [Float(1), 0.5])
    func rowsOrColumnsAreOrthonormal(shape: (Int, Int), gain: Float) {
        var generator = Philox(seed: 6)
        let q = Tensor.orthogonal(shape.0, shape.1, gain: gain, using: &generator)
        #expect(q.shape == [shape.0, shape.1])
        let product = shape.0 >= shape.1 ? q.matmul(q, transposed: true) : q.matmul(q, otherTransposed: true)
        let order = min(shape.0, shape.1)
        let identity = (0..<order * order).map { $0 % (order + 1) == 0 ? Double(gain * gain) : 0 }
        expectClose(product.values, identity, relative: 1e-5, absolute: 2e-6)
    }

    @Test func theSeedDecides() {
        func matrix(_ seed: UInt64) -> [Float] {
            var generator = Philox(seed: seed)
            return Tensor.orthogonal(5, 3, using: &generator).values
        }
        #expect(matrix(1) == matrix(1))
        #expect(matrix(1) != matrix(2))
    }

    @Test func signsAreBalanced() {
        // without the correction of signs the first entry of Q would always be negative
        var generator = Philox(seed: 7)
        let positive = (0..<200).count { _ in Tensor.orthogonal(3, 3, using: &generator).values[0] > 0 }
        #expect(positive > 60 && positive < 140)
    }

    @Test func eigenvaluesOfASymmetricMatrix() {
        // Q diag(1, 2, 5) Qᵀ
        var generator = Philox(seed: 3)
        let q = Tensor.orthogonal(3, 3, using: &generator).values.map(Double.init)
        let values = [1.0, 2, 5]
        let matrix = (0..<9).map { place in
            let (row, column) = (place / 3 * 3, place % 3 * 3)
            return (0..<3).reduce(0.0) { sum, k in sum + q[row + k] * values[k] * q[column + k] }
        }
        expectClose(BLAS.symmetricEigenvalues(matrix, order: 3) ?? [], values, relative: 1e-6)
    }
}
