/// The settings of one Adam step (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019).
public struct AdamStep: Sendable, Equatable {
    /// The step size.
    public var learningRate: Float
    /// The decay of the first moment.
    public var beta1: Float
    /// The decay of the second moment.
    public var beta2: Float
    /// Added to the root of the second moment.
    public var epsilon: Float
    /// The share of the weight that a step of size 1 takes away.
    public var weightDecay: Float
    /// The number of this step, from 1; it corrects the moments' bias.
    public var number: Int
    /// Multiplies every gradient first (clipping, averaging).
    public var gradientScale: Float

    /// A step; see the properties.
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

    /// Updates a value and its two moments in place, in one pass over memory.
    public func apply(gradient: Tensor, to value: inout Tensor, first: inout Tensor, second: inout Tensor) {
        precondition(
            gradient.shape == value.shape && first.shape == value.shape && second.shape == value.shape,
            "adam needs four tensors of one shape, not \(gradient.shape), \(value.shape), \(first.shape), \(second.shape)")
        let kernels = Kernels.current
        var settings = Kernels.AdamSettings()
        settings.learning_rate = learningRate
        settings.beta1 = beta1
        settings.beta2 = beta2
        settings.epsilon = epsilon
        settings.weight_decay = weightDecay
        settings.correction1 = Float(1 - power(Double(beta1), Double(number)))
        settings.correction2 = Float(1 - power(Double(beta2), Double(number)))
        settings.gradient_scale = gradientScale
        let count = value.count
        value.update { value in
            first.update { first in
                second.update { second in
                    guard let v = value.baseAddress, let m = first.baseAddress, let s = second.baseAddress else { return }
                    Compute.forChunks(count, grain: 65_536) { range in
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
