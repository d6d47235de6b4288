public import Tensor

/// Where a model's weights come from when it is built: a checkpoint, a random initialisation, another model.
public protocol WeightSource {
    /// The parameter with a state-dict name and shape.
    ///
    /// - Parameters:
    ///   - fresh: what it is when it is made anew.
    ///   - transposed: whether checkpoints hold this matrix with its two dimensions exchanged; `shape` is that of the parameter.
    /// - Throws: ``CheckpointError`` for a weight that is missing, of another shape or not finite.
    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) throws -> Parameter
    /// What stands beside the projections of the one model that is built from here; nil for a model without an adapter.
    var adapter: Adapter? { get }
}

extension WeightSource {
    /// None.
    public var adapter: Adapter? { nil }
}

/// What a weight is before any training.
public enum FreshWeight: Sendable, Equatable {
    /// N(0, the source's standard deviation)
    case normal
    /// 1 everywhere.
    case ones
    /// 0 everywhere.
    case zeros
}

extension WeightSource {
    /// The parameter with a state-dict name and shape, which checkpoints hold as it is.
    /// - Throws: as ``parameter(_:_:fresh:transposed:)``.
    public func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight = .normal) throws -> Parameter {
        try parameter(name, shape, fresh: fresh, transposed: false)
    }
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

    public func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) -> Parameter {
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
public struct CopiedWeights: WeightSource {
    private let values: [String: Parameter]
    private let isTrainable: Bool?
    /// A copy of the decoder's adapter, for one new model.
    public let adapter: Adapter?

    /// The weights of a decoder and its adapter.
    public init(of decoder: some TransformerDecoder) { self.init(decoder, adapter: decoder.adapter?.copy(), isTrainable: nil) }

    /// The weights of a decoder without its adapter.
    /// - Parameter isTrainable: whether they are trained in the new model; nil where that is as it was.
    init(bare decoder: some TransformerDecoder, isTrainable: Bool? = nil) {
        self.init(decoder, adapter: nil, isTrainable: isTrainable)
    }

    private init(_ decoder: some TransformerDecoder, adapter: Adapter?, isTrainable: Bool?) {
        values = Dictionary(decoder.parameters.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        (self.adapter, self.isTrainable) = (adapter, isTrainable)
    }

    public func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) -> Parameter {
        guard let original = values[name] else {
            preconditionFailure("a model always holds its own weights; \(name) is missing")
        }
        return Parameter(name, original.value, isTrainable: isTrainable ?? original.isTrainable)
    }
}

/// A linear layer's weight and, for some families, its bias.
public struct Projection {
    /// The weight, [outputs, inputs].
    public let weight: Parameter
    /// The bias, [outputs]; nil where there is none.
    public let bias: Parameter?
    /// What an adapter adds; nil where none does.
    public let adapter: AdapterModule?

    /// `<name>.weight` and, where there is one, `<name>.bias`.
    /// - Parameter transposed: whether checkpoints hold the weight as [inputs, outputs].
    public init(
        _ source: some WeightSource, _ name: String, outputs: Int, inputs: Int, bias: Bool, transposed: Bool = false
    ) throws {
        weight = try source.parameter("\(name).weight", [outputs, inputs], fresh: .normal, transposed: transposed)
        self.bias = bias ? try source.parameter("\(name).bias", [outputs], fresh: .zeros) : nil
        adapter = try source.adapter?.module(for: Adapter.Place(module: name, weight: weight, isStoredTransposed: transposed))
    }

    /// A weight [outputs, inputs] without a bias.
    init(weight: Parameter) { (self.weight, bias, adapter) = (weight, nil, nil) }

    /// The weight and the bias, and the adapter's part.
    public var parameters: [Parameter] { [weight] + [bias].compactMap { $0 } + (adapter?.parameters ?? []) }

    /// x Wᵀ + b of rows [T, inputs], and what an adapter adds.
    /// - Parameter context: where the rows stand, all or the wanted ones; nil where an adapter drops nothing.
    public func callAsFunction(_ x: Tensor, in context: LayerContext? = nil, on tape: Tape?) -> Tensor {
        guard let adapter else { return x.linear(weight.on(tape), bias: bias?.on(tape)) }
        let mask = context?.mask(ofAdapter: adapter.name, rows: x.shape[0], rate: adapter.dropout)
        return adapter(x, weight: weight, bias: bias, mask: mask, on: tape)
    }
}

/// A LayerNorm with a gain and a shift for each channel, or with neither.
public struct LayerNormalisation {
    /// The gains; nil without.
    public let weight: Parameter?
    /// The shifts; nil without.
    public let bias: Parameter?
    private let epsilon: Float
    private let ones: Tensor
    private let zeros: Tensor

    /// `<name>.weight` and `<name>.bias`.
    /// - Parameter affine: whether there are gains and shifts.
    public init(_ source: some WeightSource, _ name: String, width: Int, affine: Bool = true, epsilon: Double) throws {
        weight = affine ? try source.parameter("\(name).weight", [width], fresh: .ones) : nil
        bias = affine ? try source.parameter("\(name).bias", [width], fresh: .zeros) : nil
        self.epsilon = Float(epsilon)
        ones = .filled(1, [affine ? 0 : width])
        zeros = .zeros([affine ? 0 : width])
    }

    /// Gains and shifts.
    public var parameters: [Parameter] { [weight, bias].compactMap { $0 } }

    /// The normalised rows.
    public func callAsFunction(_ x: Tensor, on tape: Tape?) -> Tensor {
        x.layerNormalised(weight: weight?.on(tape) ?? ones, bias: bias?.on(tape) ?? zeros, epsilon: epsilon)
    }
}
