// Activation recomputation (gradient checkpointing, Chen et al. 2016): saves memory at the cost of a second forward pass.

extension Tensor {
    /// Whether this tensor is on a tape.
    package var isRecorded: Bool { node != nil }

    /// The result of `body` on this tensor; the tape keeps only this tensor and no intermediate results. The backward pass runs
    /// `body` again on a separate tape and differentiates that. Gradients have the same bits as without recomputation.
    ///
    /// - Parameters:
    ///   - tape: the tape that records the result, whether or not this tensor is on it: `body` may watch parameters.
    ///   - body: a deterministic function of its tensor and of parameters that records on the tape that it receives.
    package func recomputed(on tape: Tape, _ body: @escaping (Tensor, Tape?) -> Tensor) -> Tensor {
        precondition(node.map { $0.tape === tape } ?? true, "a tensor can only be recomputed on its own tape")
        let uses = ParameterUses()
        let result = (tape.isTellingFinished ? ParameterUses.$current.withValue(uses) { body(detached, nil) } : body(detached, nil))
            .detached
        uses.parameters.forEach(tape.expect)
        let operation = Recomputed(input: detached, place: node?.index, body: body)
        return Tensor(
            shape: result.shape, storage: result.storage,
            node: Node(tape: tape, index: tape.append(.operation(.recomputed(operation)), reading: [node?.index])))
    }
}

struct Recomputed {
    let input: Tensor
    let place: Int?
    let body: (Tensor, Tape?) -> Tensor

    func backward(_ gradient: Tensor, on tape: Tape) {
        let inner = Tape(finished: tape.isTellingFinished ? { tape.finish($0) } : nil)
        let start = place == nil ? input : inner.variable(input)
        let output = body(start, inner)
        let gradients = inner.backward(from: [(output, gradient)], variables: place == nil ? [] : [start])
        if place != nil { tape.add(gradients[0], to: place) }
    }
}

/// The trainable parameters that are used without a tape, in a forward pass whose layers are recomputed. They are the ones that the
/// recomputation watches.
///
/// `@unchecked Sendable`: it is used by the thread of the forward pass alone.
final class ParameterUses: @unchecked Sendable {
    /// The uses that are noted in the current scope; nil for none.
    @TaskLocal static var current: ParameterUses?

    /// The parameters, each once.
    private(set) var parameters: [Parameter] = []
    private var seen: Set<ObjectIdentifier> = []

    func add(_ parameter: Parameter) {
        if seen.insert(ObjectIdentifier(parameter)).inserted { parameters.append(parameter) }
    }
}
