public import Tensor

/// The settings of ``Adam``. The defaults are PyTorch's AdamW without decay.
public struct AdamConfig: Codable, Sendable, Equatable {
    /// The peak learning rate, before the schedule.
    public var learningRate: Double
    /// The decay of the first moment.
    public var beta1 = 0.9
    /// The decay of the second moment.
    public var beta2 = 0.999
    /// Added to the root of the second moment.
    public var epsilon = 1e-8
    /// Decoupled weight decay.
    public var weightDecay = 0.0
    /// Gradients are scaled down to this global norm; nil leaves them.
    public var clipNorm: Double?

    /// Settings with a peak learning rate and a norm to clip to; the others are set afterwards.
    public init(learningRate: Double = 5e-5, clipNorm: Double? = 1) {
        (self.learningRate, self.clipNorm) = (learningRate, clipNorm)
    }

    /// Checks that the numbers make sense.
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

/// AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019) over a list of parameters, with clipping by the true global norm.
public final class Adam {
    /// The parameters that it trains: those that were trainable when it was made.
    public let parameters: [Parameter]
    /// The steps taken so far.
    public private(set) var stepCount = 0
    private let config: AdamConfig
    private var first: [Tensor]
    private var second: [Tensor]

    /// An optimiser of the trainable ones of `parameters`, each once.
    public init(_ parameters: [Parameter], config: AdamConfig) {
        var seen: Set<ObjectIdentifier> = []
        self.parameters = parameters.filter { $0.isTrainable && seen.insert(ObjectIdentifier($0)).inserted }
        self.config = config
        first = self.parameters.map { .zeros($0.value.shape) }
        second = self.parameters.map { .zeros($0.value.shape) }
    }

    /// Applies the parameters' gradients and clears them.
    /// - Parameters:
    ///   - learningRate: the scheduled rate of this step.
    ///   - examples: what the gradients come from, for an error.
    ///   - trainerStep: the step that an error names; that of the optimiser unless given.
    /// - Returns: the global norm of the gradients before clipping.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)`` before any weight is touched.
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

    /// Forgets all gradients: what a step that failed has added up must not reach the next one.
    public func clearGradients() { parameters.forEach { $0.clearGradient() } }

    /// The moments by name, for a checkpoint.
    public var state: [String: Tensor] {
        var result: [String: Tensor] = [:]
        for (index, parameter) in parameters.enumerated() {
            result["first.\(parameter.name)"] = first[index]
            result["second.\(parameter.name)"] = second[index]
        }
        return result
    }

    /// Continues from a saved state.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` when a parameter has no moments of its shape there.
    public func restore(_ state: [String: Tensor], stepCount: Int) throws {
        for (index, parameter) in parameters.enumerated() {
            guard let m = state["first.\(parameter.name)"], let s = state["second.\(parameter.name)"],
                m.shape == parameter.value.shape, s.shape == parameter.value.shape
            else { throw TrainingError.stateMismatch("the optimiser holds no moments of \(parameter.name)") }
            first[index] = m
            second[index] = s
        }
        self.stepCount = stepCount
    }
}
