// y = x Wᵀ + b, and products of two matrices.

extension Tensor {
    /// A linear layer: x[T, I] · W[O, I]ᵀ + b[O] → [T, O]. The weight is stored as PyTorch stores it.
    public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
        precondition(
            shape.rank == 2 && weight.shape.rank == 2 && shape[1] == weight.shape[1],
            "linear needs x [T, I] and a weight [O, I], not \(shape) and \(weight.shape)")
        let (rows, outputs) = (shape[0], weight.shape[0])
        if let bias {
            precondition(bias.shape == [outputs], "a bias of \(bias.shape) does not fit a weight \(weight.shape)")
        }
        let result = Tensor.uninitialized([rows, outputs]) { out in
            Linear.forward(self, weight, into: out)
            if let bias {
                let kernels = Kernels.current
                Compute.forRows(rows, width: outputs) { range in
                    kernels.pointee.add_bias(range.count, outputs, bias.pointer, out + range.lowerBound * outputs)
                }
            }
        }
        return Tensor.recorded(result, from: [self, weight, bias]) {
            .linear(Linear(x: $0[1] == nil ? nil : detached, shape: shape, weight: weight.detached, places: $0))
        }
    }

    /// The product of two matrices, each transposed first where asked: [M, K] and [K, N] give [M, N].
    public func matmul(_ other: Tensor, transposed: Bool = false, otherTransposed: Bool = false) -> Tensor {
        precondition(
            shape.rank == 2 && other.shape.rank == 2, "matmul needs two matrices, not \(shape) and \(other.shape)")
        let (m, k) = transposed ? (shape[1], shape[0]) : (shape[0], shape[1])
        let (inner, n) = otherTransposed ? (other.shape[1], other.shape[0]) : (other.shape[0], other.shape[1])
        precondition(
            k == inner,
            "cannot multiply \(shape)\(transposed ? "ᵀ" : "") by \(other.shape)\(otherTransposed ? "ᵀ" : "")")
        let result = Tensor.uninitialized([m, n]) { out in
            FloatProduct.multiply(
                m: m, n: n, k: k, BLAS.Matrix(pointer: pointer, stride: shape[1], transposed: transposed),
                BLAS.Matrix(pointer: other.pointer, stride: other.shape[1], transposed: otherTransposed), into: out,
                stride: n)
        }
        return Tensor.recorded(result, from: [self, other]) {
            .matmul(
                MatMul(
                    a: detached, b: other.detached, aTransposed: transposed, bTransposed: otherTransposed, places: $0))
        }
    }
}

struct Linear {
    let x: Tensor?
    let shape: Shape
    let weight: Tensor
    let places: [Int?]

    /// Below this many rows the weight is streamed once by our own kernel; a product of many rows would pack it first.
    static let fewRows = 48

    static func forward(_ x: Tensor, _ weight: Tensor, into out: UnsafeMutablePointer<Float>) {
        let (rows, inputs, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
        if WeightProduct.forward(x.pointer, rows: rows, weight, into: out) { return }
        if let narrow = weight.storage.narrow {
            return NarrowProduct.forward(x.pointer, rows: rows, narrow, outputs: outputs, inputs: inputs, into: out)
        }
        if rows < fewRows {
            let kernels = Kernels.current
            // a few more parts than threads, should one be slower; each of whole tiles of columns
            let parts = rows * inputs * outputs < 50_000 ? 1 : 4 * Compute.threads
            let grain = ((outputs + parts - 1) / parts + 11) / 12 * 12
            Compute.forChunks(outputs, grain: grain) { range in
                kernels.pointee.linear_few(
                    rows, range.count, inputs, x.pointer, inputs, weight.pointer + range.lowerBound * inputs,
                    out + range.lowerBound, outputs)
            }
        } else {
            FloatProduct.multiply(
                m: rows, n: outputs, k: inputs, .plain(x.pointer, stride: inputs),
                .transposed(weight.pointer, stride: inputs), into: out, stride: outputs)
        }
    }

    // dx = dy W, dW = dyᵀ x, db = column sums of dy
    func backward(_ gradient: Tensor, on tape: Tape) {
        let (rows, outputs) = (shape[0], weight.shape[0])
        tape.accumulate(into: places[0], shape: shape) { out, beta in
            WeightProduct.inputGradient(gradient.pointer, rows: rows, weight, into: out, beta: beta)
        }
        if let x {
            tape.accumulate(into: places[1], shape: weight.shape) { out, beta in
                WeightProduct.weightGradient(gradient.pointer, x.pointer, rows: rows, weight, into: out, beta: beta)
            }
        }
        tape.accumulate(into: places[2], shape: [outputs]) { out, beta in
            if beta == 0 { out.update(repeating: 0, count: outputs) }
            Kernels.current.pointee.add_column_sums(rows, outputs, gradient.pointer, out)
        }
    }
}

struct MatMul {
    let a: Tensor
    let b: Tensor
    let aTransposed: Bool
    let bTransposed: Bool
    let places: [Int?]

    // C = A' B': dA' = dC B'ᵀ and dB' = A'ᵀ dC, each transposed back where A or B was transposed
    func backward(_ gradient: Tensor, on tape: Tape) {
        tape.add(
            aTransposed
                ? b.matmul(gradient, transposed: bTransposed, otherTransposed: true)
                : gradient.matmul(b, otherTransposed: !bTransposed),
            to: places[0])
        tape.add(
            bTransposed
                ? gradient.matmul(a, transposed: true, otherTransposed: aTransposed)
                : a.matmul(gradient, transposed: !aTransposed),
            to: places[1])
    }
}
