/// The hyperparameters of one step of Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2),
/// which keeps one number per weight instead of Adam's two.
///
/// With g the scaled gradient, in the order of the paper's code:
///
///     w ← w · (1 − learningRate · weightDecay)
///     w ← w − learningRate · sign(beta1 · m + (1 − beta1) · g)
///     m ← beta2 · m + (1 − beta2) · g
///
/// The sign of 0 is 0. Every weight changes by the learning rate, so Lion needs a learning rate 3 to 10 times below Adam's.
public struct LionStep: Sendable, Equatable {
    /// The learning rate of this step.
    public var learningRate: Float
    /// The weight of the momentum, against the gradient, in the mean whose sign is the step's direction, in [0, 1).
    public var beta1: Float
    /// The decay rate of the momentum, in [0, 1).
    public var beta2: Float
    /// The coefficient of decoupled weight decay: the step multiplies the weight by 1 − learningRate · weightDecay.
    public var weightDecay: Float
    /// A factor for every gradient, applied first; used for gradient clipping and averaging.
    public var gradientScale: Float

    /// Creates the settings of a step from the values of the properties.
    public init(learningRate: Float, beta1: Float, beta2: Float, weightDecay: Float, gradientScale: Float) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.weightDecay = weightDecay
        self.gradientScale = gradientScale
    }

    /// Updates a value and its momentum in place, in one pass over memory.
    ///
    /// All three tensors must have the same shape; otherwise the program stops.
    public func apply(gradient: Tensor, to value: inout Tensor, momentum: inout Tensor) {
        precondition(
            gradient.shape == value.shape && momentum.shape == value.shape,
            "lion needs three tensors of the same shape, not \(gradient.shape), \(value.shape), \(momentum.shape)")
        let kernels = Kernels.current
        var settings = Kernels.AdamSettings()
        settings.learning_rate = learningRate
        settings.beta1 = beta1
        settings.beta2 = beta2
        settings.weight_decay = weightDecay
        settings.gradient_scale = gradientScale
        let count = value.count
        value.update { value in
            momentum.update { momentum in
                guard let v = value.baseAddress, let m = momentum.baseAddress else { return }
                Compute.forChunks(count, grain: 16_384) { range in
                    let at = range.lowerBound
                    withUnsafePointer(to: settings) {
                        kernels.pointee.lion(range.count, $0, gradient.pointer + at, v + at, m + at)
                    }
                }
            }
        }
    }
}
