/// The place of a tensor on a tape.
package struct Node {
    package unowned let tape: Tape
    let index: Int
}

/// A record of differentiable operations, from which gradients are computed backwards.
///
///     let tape = Tape()
///     let loss = model.loss(batch, on: tape)      // parameters are watched: `weight.on(tape)`
///     tape.backward(from: loss)                   // adds to every watched parameter's `gradient`
///
/// An operation is recorded when one of its inputs is on a tape; what no gradient reaches (frozen layers) is never recorded and its
/// intermediate results are freed at once. A tape is used once, by one thread.
public final class Tape {
    enum Entry {
        case parameter(Parameter)
        case variable
        case operation(Operation)
        case released
    }
    private var entries: [Entry] = []
    private var watched: [ObjectIdentifier: Int] = [:]
    private var gradients: [Tensor?] = []
    private var isUsed = false
    /// Whether models keep no more than the input of each layer on this tape and run layers again in the backward pass.
    public let recomputesLayers: Bool

    /// An empty tape.
    /// - Parameter recomputingLayers: whether to save memory at the price of a second forward pass; gradients have the same bits.
    public init(recomputingLayers: Bool = false) { recomputesLayers = recomputingLayers }

    /// The number of recorded entries.
    package var count: Int { entries.count }

    func append(_ entry: Entry) -> Int {
        entries.append(entry)
        return entries.count - 1
    }

    func watch(_ parameter: Parameter) -> Tensor {
        let index: Int
        if let known = watched[ObjectIdentifier(parameter)] {
            index = known
        } else {
            index = append(.parameter(parameter))
            watched[ObjectIdentifier(parameter)] = index
        }
        return Tensor(shape: parameter.value.shape, storage: parameter.value.storage, node: Node(tape: self, index: index))
    }

    /// The same elements as a variable of this tape, whose gradient `backward` returns.
    public func variable(_ tensor: Tensor) -> Tensor {
        Tensor(shape: tensor.shape, storage: tensor.storage, node: Node(tape: self, index: append(.variable)))
    }

    /// Computes the gradient of a scalar, times `scale`, with respect to everything that it was made from.
    ///
    /// Gradients of parameters are added to `Parameter.gradient`. Saved intermediate results are freed on the way.
    /// - Returns: the gradients of the tensors in `variables`, in their order; zeros where none arrived.
    @discardableResult
    public func backward(from loss: Tensor, scale: Float = 1, variables: [Tensor] = []) -> [Tensor] {
        precondition(loss.count == 1, "backward starts from a scalar, not from \(loss.shape)")
        return backward(from: [(loss, Tensor.filled(scale, loss.shape))], variables: variables)
    }

    /// Like ``backward(from:scale:variables:)`` for several outputs with given gradients.
    @discardableResult
    public func backward(from outputs: [(tensor: Tensor, gradient: Tensor)], variables: [Tensor] = []) -> [Tensor] {
        precondition(!isUsed, "a tape is used once; record on a new one, or pass all outputs to one call of backward")
        isUsed = true
        gradients = Array(repeating: nil, count: entries.count)
        let wanted = Set(
            variables.compactMap { variable in
                variable.node.map { node in
                    if case .parameter(let parameter) = entries[node.index] {
                        preconditionFailure("the gradient of \(parameter.name) is in the parameter, not among those of variables")
                    }
                    return node.index
                }
            })
        for (tensor, gradient) in outputs {
            precondition(tensor.shape == gradient.shape, "a gradient \(gradient.shape) does not fit \(tensor.shape)")
            guard let node = tensor.node else { continue }
            precondition(node.tape === self, "backward was called on another tape than the tensor's")
            add(gradient, to: node.index)
        }
        for index in entries.indices.reversed() {
            if case .operation(let operation) = entries[index] {
                entries[index] = .released
                if let gradient = gradients[index] {
                    if !wanted.contains(index) { gradients[index] = nil }
                    operation.backward(gradient, on: self)
                }
            }
        }
        let results = variables.map { variable in
            variable.node.flatMap { gradients[$0.index] } ?? Tensor.zeros(variable.shape)
        }
        gradients = []
        return results
    }

    // MARK: What the operations' backward functions call

    /// Adds a gradient to that of entry `index`; nothing happens for a constant (nil).
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

    /// Lets `body` add to the gradient of entry `index` in place. `beta` is 0 when the memory is new and must be written, 1 when it
    /// must be added to (the convention of BLAS).
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
    /// Puts `result` on the tape of this tensor, if it is on one.
    func recorded(as result: Tensor, _ operation: (Int) -> Operation) -> Tensor {
        guard let node else { return result }
        let index = node.tape.append(.operation(operation(node.index)))
        return Tensor(shape: result.shape, storage: result.storage, node: Node(tape: node.tape, index: index))
    }

    /// Puts `result` on the tape that any of `inputs` is on; the operation receives their places (nil for constants).
    static func recorded(_ result: Tensor, from inputs: [Tensor?], _ operation: ([Int?]) -> Operation) -> Tensor {
        guard let tape = inputs.lazy.compactMap({ $0?.node?.tape }).first else { return result }
        let places = inputs.map { input -> Int? in
            guard let node = input?.node else { return nil }
            precondition(node.tape === tape, "the inputs of one operation are on two tapes")
            return node.index
        }
        let index = tape.append(.operation(operation(places)))
        return Tensor(shape: result.shape, storage: result.storage, node: Node(tape: tape, index: index))
    }

    /// Whether a backward pass may need what the operation saves.
    static func anyRecorded(_ inputs: Tensor?...) -> Bool { inputs.contains { $0?.node != nil } }
}
