// Linear layers y = x Wᵀ + b, and products of two matrices.

extension Tensor {
    /// A linear layer: x[T, I] · W[O, I]ᵀ + b[O] → [T, O]. The weight has the layout of `torch.nn.Linear`.
    public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
        checkLinear(weight, bias)
        let (x, rows, bias) = (asLinearInput, shape[0], bias?.widened())
        let input = LinearInput(x, for: weight)
        let result = Tensor.uninitialized([rows, weight.shape[0]]) { out in
            LinearProducts.forward([.init(rows: input.rows, weight: weight, bias: bias, out: out)], rows: rows)
            withExtendedLifetime(input) {}
        }
        return Tensor.recorded(result, from: [x, weight, bias]) {
            .linear(Linear(x: $0[1] == nil ? nil : input.saved(of: x, for: weight), shape: shape, weight: weight.detached, places: $0))
        }
    }

    /// Checks the shapes of a linear layer with this input.
    func checkLinear(_ weight: Tensor, _ bias: Tensor?) {
        precondition(
            shape.rank == 2 && weight.shape.rank == 2 && shape[1] == weight.shape[1],
            "linear needs x [T, I] and a weight [O, I], not \(shape) and \(weight.shape)")
        if let bias {
            precondition(bias.shape == [weight.shape[0]], "a bias of \(bias.shape) does not match a weight \(weight.shape)")
        }
    }

    /// A linear layer plus a tensor: x[T, I] · W[O, I]ᵀ + sum[T, O] → [T, O]. With 48 rows or more, the result reuses the memory
    /// of `sum` if nothing else refers to it.
    public func linear(_ weight: Tensor, addedTo sum: consuming Tensor) -> Tensor {
        precondition(
            shape.rank == 2 && weight.shape.rank == 2 && shape[1] == weight.shape[1] && sum.shape == [shape[0], weight.shape[0]],
            "linear needs x [T, I], a weight [O, I] and a sum [T, O], not \(shape), \(weight.shape) and \(sum.shape)")
        guard shape[0] >= ProductTable.manyRows else { return sum + linear(weight) }
        let (x, rows, node) = (asLinearInput, shape[0], sum.node)
        let input = LinearInput(x, for: weight)
        var result = sum.widened().detached
        // stands for the sum on the tape without holding its memory
        let addend = Tensor(shape: [], storage: Storage(byteCount: 4), node: node)
        _ = consume sum
        result.update { out in
            if let out = out.baseAddress { LinearProducts.forward(input.rows, rows: rows, weight, into: out, beta: 1) }
            withExtendedLifetime(input) {}
        }
        return Tensor.recorded(result, from: [x, weight, addend]) {
            .linearSum(
                LinearSum(
                    product: Linear(
                        x: $0[1] == nil ? nil : input.saved(of: x, for: weight), shape: shape, weight: weight.detached,
                        places: [$0[0], $0[1], nil]),
                    addend: $0[2]))
        }
    }

    /// The product of two matrices, [M, K] · [K, N] → [M, N], each of them optionally transposed first.
    public func matmul(_ other: Tensor, transposed: Bool = false, otherTransposed: Bool = false) -> Tensor {
        precondition(
            shape.rank == 2 && other.shape.rank == 2, "matmul needs two matrices, not \(shape) and \(other.shape)")
        let (m, k) = transposed ? (shape[1], shape[0]) : (shape[0], shape[1])
        let (inner, n) = otherTransposed ? (other.shape[1], other.shape[0]) : (other.shape[0], other.shape[1])
        precondition(
            k == inner,
            "cannot multiply \(shape)\(transposed ? "ᵀ" : "") by \(other.shape)\(otherTransposed ? "ᵀ" : "")")
        let result = Tensor.uninitialized([m, n]) { out in
            let left = widened()
            MatrixProduct.multiply(
                m: m, n: n, k: k, MatrixView(pointer: left.pointer, stride: shape[1], transposed: transposed),
                RightHandMatrix(other, transposed: otherTransposed), into: out, stride: n)
            withExtendedLifetime((left, other)) {}
        }
        return Tensor.recorded(result, from: [self, other]) {
            .matmul(
                MatMul(
                    a: detached, b: other.detached, aTransposed: transposed, bTransposed: otherTransposed, places: $0))
        }
    }
}

/// The input x [T, I] of a linear layer, as its products read it.
enum LinearInput {
    case floats(Tensor)
    case rounded(RoundedRows)

    /// The input of the forward pass. It is rounded once for all layers that read it and round it, while one of them keeps it.
    init(_ x: Tensor, for weight: Tensor) {
        self =
            LinearProducts.roundsRows(.forward, rows: x.shape[0], weight)
            ? .rounded(x.rounded(Kernels.current)) : .floats(x.widened().detached)
    }

    var rows: ProductRows {
        switch self {
        case .floats(let x): .floats(x.pointer)
        case .rounded(let matrix): .rounded(matrix)
        }
    }

    /// What the gradient of the weight needs: the rounded form, with half of the bytes, if the product rounds it and the tape does not
    /// keep the floats in any case, or if there are no floats.
    func saved(of x: Tensor, for weight: Tensor) -> LinearInput {
        if x.onlyRounded != nil { return self }
        return LinearProducts.roundsRows(.weightGradient, rows: x.shape[0], weight) && !x.isKeptByTape ? self : .floats(x.detached)
    }
}

struct Linear {
    let x: LinearInput?
    let shape: Shape
    let weight: Tensor
    let places: [Int?]

    /// Whether the backward pass reads dy only in products that round it. The sums of a bias need floats.
    var roundsGradient: Bool {
        func rounds(_ kind: ProductQuestion.Kind) -> Bool { LinearProducts.roundsRows(kind, rows: shape[0], weight) }
        return places[2] == nil && RoundedRows.canHold([shape[0], weight.shape[0]]) && (places[0] == nil || rounds(.inputGradient))
            && (x == nil || rounds(.weightGradient))
    }

    /// dy as the products of the backward pass read it: as it was given, or rounded once if both products round it.
    func rows(of dy: Tensor) -> ProductRows {
        if let rounded = dy.onlyRounded { return .rounded(rounded) }
        let isShared = places[0] != nil && x != nil
        return isShared ? LinearProducts.sharedByGradients(dy.pointer, rows: shape[0], weight) : .floats(dy.pointer)
    }

    // dx = dy W, dW = dyᵀ x, db = column sums of dy
    func backward(_ gradient: Tensor, on tape: Tape) {
        let rows = shape[0]
        let dy = self.rows(of: gradient)
        tape.accumulate(into: places[0], shape: shape) { out, beta in
            LinearProducts.inputGradient(dy, rows: rows, weight, into: out, beta: beta)
        }
        if let x {
            tape.accumulate(into: places[1], shape: weight.shape) { out, beta in
                LinearProducts.weightGradient(dy, x.rows, rows: rows, weight.shape, into: out, beta: beta)
            }
        }
        addBiasGradient(gradient, on: tape)
    }

    func addBiasGradient(_ gradient: Tensor, on tape: Tape) {
        let (rows, outputs) = (shape[0], weight.shape[0])
        tape.accumulate(into: places[2], shape: [outputs]) { out, beta in
            if beta == 0 { out.update(repeating: 0, count: outputs) }
            RowSums.add(gradient.pointer, rows: rows, width: outputs, to: out)
        }
    }
}

struct LinearSum {
    let product: Linear
    let addend: Int?

    func backward(_ gradient: Tensor, on tape: Tape) {
        tape.add(gradient, to: addend)
        product.backward(gradient, on: tape)
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
