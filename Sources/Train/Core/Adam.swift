public import Tensor

/// The settings of ``Adam``. β₁, β₂ and ε default to PyTorch's values; weight decay is off by default.
public struct AdamConfig: Codable, Sendable, Equatable {
    /// The peak learning rate, which the schedule scales.
    public var learningRate: Double
    /// The decay rate β₁ of the first moment.
    public var beta1 = 0.9
    /// The decay rate β₂ of the second moment.
    public var beta2 = 0.999
    /// ε, which is added to the square root of the second moment.
    public var epsilon = 1e-8
    /// The decoupled weight decay.
    public var weightDecay = 0.0
    /// The global norm to which gradients are clipped; nil disables clipping.
    public var clipNorm: Double?

    /// Settings with a peak learning rate and a clipping norm; the others have their defaults.
    public init(learningRate: Double = 5e-5, clipNorm: Double? = 1) {
        (self.learningRate, self.clipNorm) = (learningRate, clipNorm)
    }

    /// Checks the range of every setting.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        func require(_ ok: Bool, _ name: String, _ value: Double, _ rule: String) throws {
            guard ok else { throw TrainingError.invalidSetting(name: name, value: "\(value)", rule: rule) }
        }
        try require(learningRate > 0 && learningRate.isFinite, "the learning rate", learningRate, "it must be above 0")
        try require((0..<1).contains(beta1), "beta1", beta1, "it must be in [0, 1)")
        try require((0..<1).contains(beta2), "beta2", beta2, "it must be in [0, 1)")
        try require(epsilon > 0, "epsilon", epsilon, "it must be above 0")
        try require(weightDecay >= 0, "the weight decay", weightDecay, "it must not be negative")
        if let clipNorm { try require(clipNorm > 0, "the clipping norm", clipNorm, "it must be above 0") }
    }
}

/// The AdamW optimiser (Kingma & Ba 2015; Loshchilov & Hutter 2019) for a list of parameters, with clipping by the global
/// gradient norm.
public final class Adam {
    /// The parameters that are optimised: those that were trainable when the optimiser was created.
    public let parameters: [Parameter]
    /// The number of steps taken.
    public private(set) var stepCount = 0
    private let config: AdamConfig
    private var first: [Tensor]
    private var second: [Tensor]

    /// An optimiser for the trainable ones of `parameters`. Duplicates count once.
    public init(_ parameters: [Parameter], config: AdamConfig) {
        var seen: Set<ObjectIdentifier> = []
        self.parameters = parameters.filter { $0.isTrainable && seen.insert(ObjectIdentifier($0)).inserted }
        self.config = config
        first = self.parameters.map { .zeros($0.value.shape) }
        second = self.parameters.map { .zeros($0.value.shape) }
    }

    /// Updates the parameters with their gradients and clears the gradients.
    /// - Parameters:
    ///   - learningRate: the scheduled learning rate of this step.
    ///   - examples: the IDs of the examples that produced the gradients, for an error.
    ///   - trainerStep: the step number for an error. Default: the optimiser's own count.
    /// - Returns: the global norm of the gradients before clipping.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)`` for a gradient with NaN or Inf, before any weight is changed.
    @discardableResult
    public func step(learningRate: Double, examples: [String] = [], of trainerStep: Int? = nil) throws -> Double {
        defer { clearGradients() }
        var squares = 0.0
        for parameter in parameters {
            guard let gradient = parameter.gradient else { continue }
            let square = gradient.sumOfSquares()
            guard square.isFinite else {
                throw TrainingError.notFinite(
                    what: "the gradient of \(parameter.name)", step: trainerStep ?? stepCount + 1, examples: examples)
            }
            squares += square
        }
        let norm = squares.squareRoot()
        stepCount += 1
        let scale = config.clipNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
        let step = AdamStep(
            learningRate: Float(learningRate), beta1: Float(config.beta1), beta2: Float(config.beta2),
            epsilon: Float(config.epsilon), weightDecay: Float(config.weightDecay), number: stepCount,
            gradientScale: Float(scale))
        for (index, parameter) in parameters.enumerated() {
            guard let gradient = parameter.gradient else { continue }
            step.apply(gradient: gradient, to: &parameter.value, first: &first[index], second: &second[index])
        }
        return norm
    }

    /// Clears all gradients, for example those that a failed step has accumulated.
    public func clearGradients() { parameters.forEach { $0.clearGradient() } }

    /// The moments by name, for a checkpoint: `first.<parameter>` and `second.<parameter>`.
    public var state: [String: Tensor] {
        var result: [String: Tensor] = [:]
        for (index, parameter) in parameters.enumerated() {
            result["first.\(parameter.name)"] = first[index]
            result["second.\(parameter.name)"] = second[index]
        }
        return result
    }

    /// Continues from a saved state.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` when the moments of a parameter are missing or have another shape.
    public func restore(_ state: [String: Tensor], stepCount: Int) throws {
        for (index, parameter) in parameters.enumerated() {
            guard let m = state["first.\(parameter.name)"], let s = state["second.\(parameter.name)"],
                m.shape == parameter.value.shape, s.shape == parameter.value.shape
            else { throw TrainingError.stateMismatch("it has no optimiser moments for \(parameter.name)") }
            first[index] = m
            second[index] = s
        }
        self.stepCount = stepCount
    }
}
