// Activation recomputation (Chen et al. 2016): memory for time.

extension Tensor {
    /// Whether this tensor is on a tape.
    package var isRecorded: Bool { node != nil }

    /// The result of `body` on this tensor, of which the tape keeps this tensor alone. The backward pass runs `body` once more, on a
    /// tape of its own, and goes back through that; gradients have the bits that they would have without.
    ///
    /// - Parameters:
    ///   - tape: where the result is recorded, whether this tensor is on it or not: `body` may watch parameters.
    ///   - body: a function of its tensor and of parameters that computes the same each time; it records on the tape that it is given.
    package func recomputed(on tape: Tape, _ body: @escaping (Tensor, Tape?) -> Tensor) -> Tensor {
        precondition(node.map { $0.tape === tape } ?? true, "a tensor is recomputed on the tape that it is on")
        let result = body(detached, nil).detached
        let operation = Recomputed(input: detached, place: node?.index, body: body)
        return Tensor(
            shape: result.shape, storage: result.storage,
            node: Node(tape: tape, index: tape.append(.operation(.recomputed(operation)))))
    }
}

struct Recomputed {
    let input: Tensor
    let place: Int?
    let body: (Tensor, Tape?) -> Tensor

    func backward(_ gradient: Tensor, on tape: Tape) {
        let inner = Tape()
        let start = place == nil ? input : inner.variable(input)
        let output = body(start, inner)
        let gradients = inner.backward(from: [(output, gradient)], variables: place == nil ? [] : [start])
        if place != nil { tape.add(gradients[0], to: place) }
    }
}
