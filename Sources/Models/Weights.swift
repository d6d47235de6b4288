public import Tensor

/// The source of a new model's weights: a checkpoint, random initialisation or another model.
public protocol WeightSource {
    /// Returns the parameter with a given state-dict name and shape.
    ///
    /// - Parameters:
    ///   - name: the name in the state dictionary.
    ///   - shape: the shape of the parameter.
    ///   - fresh: how the parameter is initialised if it is new.
    ///   - transposed: whether checkpoints store this matrix with its two dimensions exchanged.
    /// - Throws: `CheckpointError` for a weight that is missing, has another shape or is not finite.
    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) throws -> Parameter
    /// The adapter for the model that is built from this source; nil for none.
    var adapter: Adapter? { get }
}

extension WeightSource {
    /// Default: nil, no adapter.
    public var adapter: Adapter? { nil }
}

/// The initialisation of a new weight.
public enum FreshWeight: Sendable, Equatable {
    /// Samples from a normal distribution with mean 0 and the source's standard deviation.
    case normal
    /// All ones.
    case ones
    /// All zeros.
    case zeros
}

extension WeightSource {
    /// Returns the parameter with a given state-dict name and shape, which checkpoints store as it is.
    /// - Throws: like ``parameter(_:_:fresh:transposed:)``.
    public func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight = .normal) throws -> Parameter {
        try parameter(name, shape, fresh: fresh, transposed: false)
    }
}

/// Random initialisation from a seed. Every name has a separate generator stream, so the result does not depend on the order of
/// construction.
public struct RandomWeights: WeightSource {
    let generator: Philox
    let standardDeviation: Float

    /// Creates a source of normally distributed weights with the given standard deviation; norms are initialised with ones,
    /// biases with zeros.
    public init(generator: Philox, standardDeviation: Float = 0.02) {
        self.generator = generator
        self.standardDeviation = standardDeviation
    }

    /// Returns a newly initialised parameter.
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

/// The weights of another model: new parameters that share memory until one of them is modified.
public struct CopiedWeights: WeightSource {
    private let values: [String: Parameter]
    private let isTrainable: Bool?
    /// A copy of the decoder's adapter, for one new model.
    public let adapter: Adapter?

    /// Copies the weights of a decoder and its adapter.
    public init(of decoder: some TransformerDecoder) { self.init(decoder, adapter: decoder.adapter?.copy(), isTrainable: nil) }

    /// Copies the weights of a decoder without its adapter.
    /// - Parameters:
    ///   - decoder: the decoder.
    ///   - isTrainable: whether the new parameters are trainable. Default: as in the decoder.
    init(bare decoder: some TransformerDecoder, isTrainable: Bool? = nil) {
        self.init(decoder, adapter: nil, isTrainable: isTrainable)
    }

    private init(_ decoder: some TransformerDecoder, adapter: Adapter?, isTrainable: Bool?) {
        values = Dictionary(decoder.parameters.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        (self.adapter, self.isTrainable) = (adapter, isTrainable)
    }

    /// Returns a copy of the decoder's parameter of this name.
    public func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) -> Parameter {
        guard let original = values[name] else {
            preconditionFailure("a model always has its own weights; \(name) is missing")
        }
        return Parameter(name, original.value, isTrainable: isTrainable ?? original.isTrainable)
    }
}

/// The weight of a linear layer, with an optional bias and adapter.
public struct Projection {
    /// The weight, [outputs, inputs].
    public let weight: Parameter
    /// The bias, [outputs]; nil for none.
    public let bias: Parameter?
    /// The adapter of this projection; nil for none.
    public let adapter: AdapterModule?

    /// Reads `<name>.weight` and, if requested, `<name>.bias` from a source.
    /// - Parameters:
    ///   - source: the source of the weights.
    ///   - name: the name of the layer in the state dictionary.
    ///   - outputs: the number of output channels.
    ///   - inputs: the number of input channels.
    ///   - bias: whether there is a bias.
    ///   - transposed: whether checkpoints store the weight as [inputs, outputs].
    public init(
        _ source: some WeightSource, _ name: String, outputs: Int, inputs: Int, bias: Bool, transposed: Bool = false
    ) throws {
        weight = try source.parameter("\(name).weight", [outputs, inputs], fresh: .normal, transposed: transposed)
        self.bias = bias ? try source.parameter("\(name).bias", [outputs], fresh: .zeros) : nil
        adapter = try source.adapter?.module(for: Adapter.Place(module: name, weight: weight, isStoredTransposed: transposed))
    }

    /// Creates a projection from a weight [outputs, inputs], without bias.
    init(weight: Parameter) { (self.weight, bias, adapter) = (weight, nil, nil) }

    /// The weight, the bias and the parameters of the adapter.
    public var parameters: [Parameter] { [weight] + [bias].compactMap { $0 } + (adapter?.parameters ?? []) }

    /// Whether the layer reads its input of `rows` rows only in products that round it to bfloat16. The results have the same bits if the
    /// input is rounded before. An adapter reads floats.
    func roundsInput(rows: Int) -> Bool { adapter == nil && weight.value.roundsInput(rows: rows, isTrained: weight.isTrainable) }

    /// Applies the layer to rows [T, inputs]: x Wᵀ + b, plus the adapter's contribution. The result is [T, outputs].
    /// - Parameters:
    ///   - x: the input rows, [T, inputs].
    ///   - context: the context of the rows, which may be all rows or the wanted ones; needed for adapter dropout.
    ///   - tape: the tape that records the pass; nil for inference.
    public func callAsFunction(_ x: Tensor, in context: LayerContext? = nil, on tape: Tape?) -> Tensor {
        guard let adapter else { return x.linear(weight.on(tape), bias: bias?.on(tape)) }
        let mask = context?.mask(ofAdapter: adapter.name, rows: x.shape[0], rate: adapter.dropout)
        return adapter(x, weight: weight, bias: bias, mask: mask, on: tape)
    }
}
