/// The position of a tensor on a tape.
package struct Node {
    package unowned let tape: Tape
    let index: Int
}

/// A record of differentiable operations for reverse-mode differentiation.
///
///     let tape = Tape()
///     let loss = model.loss(batch, on: tape)      // parameters are watched: `weight.on(tape)`
///     tape.backward(from: loss)                   // adds to every watched parameter's `gradient`
///
/// An operation is recorded if one of its inputs is on a tape. Operations that no gradient reaches (frozen layers) are not
/// recorded, and their intermediate results are freed at once. A tape is used once, by one thread.
public final class Tape {
    enum Entry {
        case parameter(Parameter)
        case variable
        case operation(Operation)
        case released
    }
    private var entries: [Entry] = []
    /// How often operations read the result of each entry.
    private var readers: [Int] = []
    private var watched: [ObjectIdentifier: Int] = [:]
    private var gradients: [Tensor?] = []
    /// The entries whose gradients ``backward(from:scale:variables:)`` returns.
    private var wanted: Set<Int> = []
    private var isUsed = false
    /// Whether models save only the input of each layer on this tape and recompute the layers in the backward pass.
    public let recomputesLayers: Bool
    /// Called with a parameter when the backward pass has added everything to its gradient.
    private let finished: ((Parameter) -> Void)?
    /// How many parts of the backward pass still add to a parameter's gradient: the tape itself, and each recomputation.
    private var remaining: [ObjectIdentifier: Int] = [:]

    /// Creates an empty tape.
    /// - Parameters:
    ///   - recomputingLayers: whether to save memory at the cost of a second forward pass. Gradients have the same bits.
    ///   - finished: called in the backward pass with each watched parameter when nothing more will be added to its gradient, nor its
    ///     value read. It may change the value and clear the gradient. A parameter that is watched in a recomputed layer that no
    ///     gradient reaches is left out.
    public init(recomputingLayers: Bool = false, finished: ((Parameter) -> Void)? = nil) {
        recomputesLayers = recomputingLayers
        self.finished = finished
    }

    /// The number of recorded entries.
    package var count: Int { entries.count }

    /// Adds an entry; `places` are the entries whose results it reads, nil for constants.
    func append(_ entry: Entry, reading places: [Int?] = []) -> Int {
        for case let place? in places { readers[place] += 1 }
        entries.append(entry)
        readers.append(0)
        return entries.count - 1
    }

    /// Whether the elements of a tensor on this tape stay in memory until the backward pass, whoever reads them: those of parameters
    /// and variables, which others hold, and outputs that their operation saves.
    func keepsResult(at index: Int) -> Bool {
        switch entries[index] {
        case .parameter, .variable: true
        case .operation(.reshape(let operation)): keepsResult(at: operation.input)
        case .operation(let operation): operation.keepsResult
        case .released: false
        }
    }

    func watch(_ parameter: Parameter) -> Tensor {
        let index: Int
        if let known = watched[ObjectIdentifier(parameter)] {
            index = known
        } else {
            index = append(.parameter(parameter))
            watched[ObjectIdentifier(parameter)] = index
            expect(parameter)
        }
        return Tensor(shape: parameter.value.shape, storage: parameter.value.storage, node: Node(tape: self, index: index))
    }

    /// Puts a tensor on this tape as a variable, whose gradient `backward` returns.
    public func variable(_ tensor: Tensor) -> Tensor {
        Tensor(shape: tensor.shape, storage: tensor.storage, node: Node(tape: self, index: append(.variable)))
    }

    /// Computes the gradient of a scalar, times `scale`, with respect to everything that it depends on.
    ///
    /// Gradients of parameters are added to ``Parameter/gradient``. Saved intermediate results are freed along the way.
    /// - Returns: the gradients of `variables`, in their order; zeros for those that the loss does not depend on.
    @discardableResult
    public func backward(from loss: Tensor, scale: Float = 1, variables: [Tensor] = []) -> [Tensor] {
        precondition(loss.count == 1, "backward needs a scalar, not \(loss.shape)")
        return backward(from: [(loss, Tensor.filled(scale, loss.shape))], variables: variables)
    }

    /// Computes gradients from several outputs whose own gradients are given; see ``backward(from:scale:variables:)``.
    @discardableResult
    public func backward(from outputs: [(tensor: Tensor, gradient: Tensor)], variables: [Tensor] = []) -> [Tensor] {
        precondition(!isUsed, "a tape can be used only once; record on a new tape, or pass all outputs to one call of backward")
        isUsed = true
        gradients = Array(repeating: nil, count: entries.count)
        wanted = Set(
            variables.compactMap { variable in
                variable.node.map { node in
                    if case .parameter(let parameter) = entries[node.index] {
                        preconditionFailure("\(parameter.name) is a parameter, not a variable; read its gradient from the parameter")
                    }
                    return node.index
                }
            })
        for (tensor, gradient) in outputs {
            precondition(tensor.shape == gradient.shape, "a gradient of shape \(gradient.shape) does not match \(tensor.shape)")
            guard let node = tensor.node else { continue }
            precondition(node.tape === self, "backward was called on a different tape from the tensor's")
            add(gradient, to: node.index)
        }
        for index in entries.indices.reversed() {
            if case .operation(let operation) = entries[index] {
                entries[index] = .released
                if let gradient = gradients[index] {
                    if !wanted.contains(index) { gradients[index] = nil }
                    Compute.timed("\(operation.name), backward") { operation.backward(gradient, on: self) }
                }
            } else if isTellingFinished, case .parameter(let parameter) = entries[index] {
                // everything that uses it was recorded later
                finish(parameter)
            }
        }
        let results = variables.map { variable in
            variable.node.flatMap { gradients[$0.index] } ?? Tensor.zeros(variable.shape)
        }
        gradients = []
        return results
    }

    // MARK: Parameters whose gradients are complete

    /// Whether the tape reports parameters whose gradients are complete.
    package var isTellingFinished: Bool { finished != nil }

    /// Whether the backward pass will add to a parameter's gradient, as far as is known before it: it does not if no gradient reaches
    /// the parameter. Only a tape that was created with `finished` knows it.
    package func awaits(_ parameter: Parameter) -> Bool { (remaining[ObjectIdentifier(parameter)] ?? 0) > 0 }

    /// Counts a further part of the backward pass that adds to a parameter's gradient.
    func expect(_ parameter: Parameter) {
        if isTellingFinished { remaining[ObjectIdentifier(parameter), default: 0] += 1 }
    }

    /// Says that one part of the backward pass has added everything to a parameter's gradient.
    func finish(_ parameter: Parameter) {
        guard let finished, let left = remaining[ObjectIdentifier(parameter)] else { return }
        remaining[ObjectIdentifier(parameter)] = left - 1
        if left == 1 { finished(parameter) }
    }

    // MARK: For the backward functions of operations

    /// Whether the backward function of the only operation that reads the result of entry `index` may give its gradient as a matrix that
    /// exists only rounded (``Tensor/onlyRounded``): the entry reads it in products that round it, and nothing else is added to it.
    func roundsGradient(of index: Int?) -> Bool {
        guard let index, readers[index] == 1, gradients[index] == nil, !wanted.contains(index),
            case .operation(let operation) = entries[index]
        else { return false }
        if case .linearMember(let member) = operation, case .operation(.linearGroup(let group)) = entries[member.group] {
            return group.members[member.index].roundsGradient
        }
        return operation.roundsGradient
    }

    /// Adds a gradient to that of entry `index`. Does nothing for a constant (nil).
    func add(_ gradient: @autoclosure () -> Tensor, to index: Int?) {
        guard let index else { return }
        if case .parameter(let parameter) = entries[index] {
            parameter.addGradient(gradient())
        } else if gradients[index] != nil {
            let new = gradient()
            gradients[index]?.add(inPlace: new)
        } else {
            gradients[index] = gradient()
        }
    }

    /// Lets `body` add to the gradient of entry `index` in place. As in BLAS, `beta` is 0 if the memory is uninitialised and must
    /// be overwritten, and 1 if `body` must add to it.
    func accumulate(into index: Int?, shape: Shape, _ body: (UnsafeMutablePointer<Float>, _ beta: Float) -> Void) {
        guard let index else { return }
        if case .parameter(let parameter) = entries[index] {
            parameter.accumulateGradient(body)
        } else if gradients[index] != nil {
            gradients[index]?.update { if let base = $0.baseAddress { body(base, 1) } }
        } else {
            gradients[index] = Tensor.uninitialized(shape) { body($0, 0) }
        }
    }
}

extension Tensor {
    /// Records `result` on the tape of this tensor, if it is on one.
    func recorded(as result: Tensor, _ operation: (Int) -> Operation) -> Tensor {
        guard let node else { return result }
        let index = node.tape.append(.operation(operation(node.index)), reading: [node.index])
        return Tensor(shape: result.shape, storage: result.storage, node: Node(tape: node.tape, index: index))
    }

    /// Records `result` on the tape of any of `inputs`. The operation receives the positions of the inputs (nil for constants).
    static func recorded(_ result: Tensor, from inputs: [Tensor?], _ operation: ([Int?]) -> Operation) -> Tensor {
        guard let tape = inputs.lazy.compactMap({ $0?.node?.tape }).first else { return result }
        let places = inputs.map { input -> Int? in
            guard let node = input?.node else { return nil }
            precondition(node.tape === tape, "the inputs of an operation are on different tapes")
            return node.index
        }
        let index = tape.append(.operation(operation(places)), reading: places)
        return Tensor(shape: result.shape, storage: result.storage, node: Node(tape: tape, index: index))
    }

    /// Whether the elements stay in memory until the backward pass, whoever reads them; see ``Tape/keepsResult(at:)``.
    var isKeptByTape: Bool { node.map { $0.tape.keepsResult(at: $0.index) } ?? false }

    /// Whether any input is on a tape, so that a backward pass may need what the operation saves.
    static func anyRecorded(_ inputs: Tensor?...) -> Bool { inputs.contains { $0?.node != nil } }
}
