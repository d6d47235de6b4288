/// A tensor of a model that may be trained.
///
/// A parameter belongs to one model and is changed by one optimiser; models that share weights hold the same parameter object.
public final class Parameter {
    /// The name in the model's state dictionary, as checkpoints spell it.
    public let name: String
    /// The current value.
    public var value: Tensor
    /// Whether gradients are wanted. A frozen parameter is a constant: nothing that depends on it alone is recorded.
    public var isTrainable: Bool
    /// The sum of the gradients since it was last set to nil; nil when none arrived.
    public package(set) var gradient: Tensor?

    /// A parameter with a value.
    public init(_ name: String, _ value: Tensor, isTrainable: Bool = true) {
        self.name = name
        self.value = value.detached
        self.isTrainable = isTrainable
    }

    /// The value for use in a forward pass: watched by the tape when there is one and the parameter is trainable, else a constant.
    public func on(_ tape: Tape?) -> Tensor {
        guard let tape, isTrainable else { return value }
        return tape.watch(self)
    }

    /// Forgets the gradient.
    public func clearGradient() { gradient = nil }

    func addGradient(_ new: Tensor) {
        if gradient == nil { gradient = new } else { gradient?.add(inPlace: new) }
    }

    func accumulateGradient(_ body: (UnsafeMutablePointer<Float>, _ beta: Float) -> Void) {
        if gradient == nil {
            gradient = Tensor.uninitialized(value.shape) { body($0, 0) }
        } else {
            gradient?.update { if let base = $0.baseAddress { body(base, 1) } }
        }
    }
}
