import Tensor

/// Computes a matrix product and the gradient of its sum of squares.
func useTensor() {
    let tape = Tape()
    let x = tape.variable(Tensor([1, 2, 3, 4], shape: [2, 2]))
    let product = x.matmul(Tensor([1, 0, 0, 2], shape: [2, 2]))
    precondition(product.values == [1, 4, 3, 8])
    let gradient = tape.backward(from: product.squared().sum(), variables: [x])[0]
    precondition(gradient.values == [2, 16, 6, 32])
}
