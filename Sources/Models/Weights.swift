public import Tensor

/// Where a model's weights come from when it is built: a checkpoint, a random initialisation, another model.
public protocol WeightSource {
    /// The parameter with a state-dict name and shape. `fresh` says what it is when it is made anew.
    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight) throws -> Parameter
}

/// What a weight is before any training.
public enum FreshWeight: Sendable, Equatable {
    /// N(0, the source's standard deviation)
    case normal
    case ones
    case zeros
}

extension WeightSource {
    func parameter(_ name: String, _ shape: Shape) throws -> Parameter { try parameter(name, shape, fresh: .normal) }
}

/// Weights drawn from a seed. Every name has a generator stream of its own, so the order of construction does not matter.
public struct RandomWeights: WeightSource {
    let generator: Philox
    let standardDeviation: Float

    /// Normal draws with the given standard deviation, ones for norms, zeros for biases.
    public init(generator: Philox, standardDeviation: Float = 0.02) {
        self.generator = generator
        self.standardDeviation = standardDeviation
    }

    public func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight) -> Parameter {
        switch fresh {
        case .ones: return Parameter(name, .filled(1, shape))
        case .zeros: return Parameter(name, .zeros(shape))
        case .normal:
            var stream = generator.split(name)
            return Parameter(name, .normal(shape, standardDeviation: standardDeviation, using: &stream))
        }
    }
}

/// The weights of another model: new parameters, the same memory until one of them is written to.
struct CopiedWeights: WeightSource {
    let values: [String: Parameter]
    init(_ values: [String: Parameter]) { self.values = values }

    struct Missing: Error { let name: String }

    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight) throws -> Parameter {
        guard let original = values[name] else { throw Missing(name: name) }
        return Parameter(name, original.value, isTrainable: original.isTrainable)
    }
}

/// A linear layer's weight and, for some families, its bias.
struct Projection {
    let weight: Parameter
    let bias: Parameter?

    init(_ source: some WeightSource, _ name: String, outputs: Int, inputs: Int, bias: Bool) throws {
        weight = try source.parameter("\(name).weight", [outputs, inputs])
        self.bias = bias ? try source.parameter("\(name).bias", [outputs], fresh: .zeros) : nil
    }

    var parameters: [Parameter] { bias.map { [weight, $0] } ?? [weight] }

    func callAsFunction(_ x: Tensor, on tape: Tape?) -> Tensor {
        x.linear(weight.on(tape), bias: bias?.on(tape))
    }
}
