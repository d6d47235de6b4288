/// The hyperparameters of one AdamW step: Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019).
///
/// With g the scaled gradient and t the step number, and in the order of `torch.optim.AdamW`:
///
///     w ← w · (1 − learningRate · weightDecay)
///     m ← beta1 · m + (1 − beta1) · g
///     v ← beta2 · v + (1 − beta2) · g²
///     w ← w − learningRate · (m / (1 − beta1ᵗ)) / (√(v / (1 − beta2ᵗ)) + epsilon)
public struct AdamStep: Sendable, Equatable {
    /// The learning rate of this step.
    public var learningRate: Float
    /// The decay rate of the first moment, in [0, 1).
    public var beta1: Float
    /// The decay rate of the second moment, in [0, 1).
    public var beta2: Float
    /// Added to the root of the second moment, for numerical stability.
    public var epsilon: Float
    /// The coefficient of decoupled weight decay: the step multiplies the weight by 1 − learningRate · weightDecay.
    public var weightDecay: Float
    /// The step number t, counted from 1; used for bias correction of the moments.
    public var number: Int
    /// A factor for every gradient, applied first; used for gradient clipping and averaging.
    public var gradientScale: Float

    /// Creates the settings of a step from the values of the properties.
    public init(
        learningRate: Float, beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float, number: Int, gradientScale: Float
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.number = number
        self.gradientScale = gradientScale
    }

    /// The step as the kernels take it.
    var kernelSettings: Kernels.AdamSettings {
        var settings = Kernels.AdamSettings()
        settings.learning_rate = learningRate
        settings.beta1 = beta1
        settings.beta2 = beta2
        settings.epsilon = epsilon
        settings.weight_decay = weightDecay
        settings.correction1 = Float(1 - power(Double(beta1), Double(number)))
        settings.correction2 = Float(1 - power(Double(beta2), Double(number)))
        settings.gradient_scale = gradientScale
        return settings
    }

    /// Updates a value and its first and second moments in place, in one pass over memory.
    ///
    /// All four tensors must have the same shape; otherwise the program stops.
    public func apply(gradient: Tensor, to value: inout Tensor, first: inout Tensor, second: inout Tensor) {
        precondition(
            gradient.shape == value.shape && first.shape == value.shape && second.shape == value.shape,
            "adam needs four tensors of the same shape, not \(gradient.shape), \(value.shape), \(first.shape), \(second.shape)")
        let (kernels, settings, count) = (Kernels.current, kernelSettings, value.count)
        value.update { value in
            first.update { first in
                second.update { second in
                    guard let v = value.baseAddress, let m = first.baseAddress, let s = second.baseAddress else { return }
                    Compute.forChunks(count, grain: 16_384) { range in
                        let at = range.lowerBound
                        withUnsafePointer(to: settings) {
                            kernels.pointee.adam(range.count, $0, gradient.pointer + at, v + at, m + at, s + at)
                        }
                    }
                }
            }
        }
    }
}
