/// A named tensor of a model that can be trained.
///
/// A parameter belongs to one model and is updated by one optimiser. Models that share weights hold the same parameter object.
public final class Parameter {
    /// The name in the model's state dictionary, as in checkpoints.
    public let name: String
    /// The current value.
    public var value: Tensor
    /// Whether the parameter receives gradients. A frozen parameter is a constant: nothing that depends only on constants is
    /// recorded.
    public var isTrainable: Bool
    /// The sum of the gradients since it was last cleared; nil if there were none.
    public package(set) var gradient: Tensor?

    /// The format in which an optimiser stores the value after a step: 32-bit floats, or bfloat16 with stochastic rounding.
    package var masterFormat = NumberFormat.f32

    /// Creates a parameter from its name and initial value. The value is detached from any tape.
    public init(_ name: String, _ value: Tensor, isTrainable: Bool = true) {
        self.name = name
        self.value = value.detached
        self.isTrainable = isTrainable
    }

    /// The value for use in a forward pass. It is watched by the tape if there is one and the parameter is trainable; otherwise
    /// it is a constant.
    public func on(_ tape: Tape?) -> Tensor {
        guard isTrainable else { return value }
        if let tape { return tape.watch(self) }
        ParameterUses.current?.add(self)
        return value
    }

    /// Sets the gradient to nil.
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
