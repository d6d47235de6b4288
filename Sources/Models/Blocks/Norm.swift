public import Tensor

/// The normalisation of rows in layers: RMSNorm in two variants, or LayerNorm.
public struct Norm {
    /// The formula of a norm.
    public enum Kind: Sendable, Equatable {
        /// RMSNorm with the factor `weight` (LLaMA).
        case rms
        /// RMSNorm with the factor 1 + `weight` (Gemma).
        case rmsPlusOne
        /// LayerNorm with a weight and a bias.
        case layer
        /// LayerNorm with a weight and no bias.
        case layerWithoutBias
        /// LayerNorm with neither weight nor bias.
        case layerWithoutParameters
    }

    private let kind: Kind
    private let width: Int
    private let weight: Parameter?
    private let bias: Parameter?
    private let epsilon: Float

    /// Reads `<name>.weight`, [width], except for ``Kind/layerWithoutParameters``, and, for ``Kind/layer``, `<name>.bias`, [width].
    public init(_ kind: Kind, _ source: any WeightSource, _ name: String, width: Int, epsilon: Double) throws {
        self.kind = kind
        self.width = width
        self.epsilon = Float(epsilon)
        weight =
            kind == .layerWithoutParameters
            ? nil : try source.parameter("\(name).weight", [width], fresh: kind == .rmsPlusOne ? .zeros : .ones)
        bias = kind == .layer ? try source.parameter("\(name).bias", [width], fresh: .zeros) : nil
    }

    /// The weight and the bias, if there are any.
    public var parameters: [Parameter] { [weight, bias].compactMap { $0 } }

    /// The normalised rows, in the same shape.
    public func callAsFunction(_ x: Tensor, on tape: Tape?) -> Tensor { self(x, on: tape, isRounded: false) }

    /// The normalised rows, in the same shape.
    /// - Parameters:
    ///   - x: the rows.
    ///   - tape: the tape that records the pass; nil for inference.
    ///   - isRounded: whether all that reads the result rounds it to bfloat16 (``Projection/roundsInput(rows:)``), so that floats are
    ///     not needed.
    func callAsFunction(_ x: Tensor, on tape: Tape?, isRounded: Bool) -> Tensor {
        let weight = weight?.on(tape) ?? .filled(1, [width])
        switch kind {
        case .rms: return x.rmsNormalised(weight: weight, epsilon: epsilon, isRounded: isRounded)
        case .rmsPlusOne:
            return x.rmsNormalised(weight: weight + .filled(1, weight.shape), epsilon: epsilon, isRounded: isRounded)
        case .layer, .layerWithoutBias, .layerWithoutParameters:
            return x.layerNormalised(
                weight: weight, bias: bias?.on(tape) ?? .zeros(weight.shape), epsilon: epsilon, isRounded: isRounded)
        }
    }
}

/// The normalisation of queries or keys, before rotary positions are applied.
public enum HeadNorm {
    /// The same norm over the channels of every head (Qwen 3, Gemma 3, Phi).
    case everyHead(Norm)
    /// One norm over the channels of all heads together (OLMo 2).
    case allHeads(Norm)
    /// A separate norm for each head (StableLM).
    case eachHead([Norm])

    /// The parameters of all norms.
    var parameters: [Parameter] {
        switch self {
        case .everyHead(let norm), .allHeads(let norm): norm.parameters
        case .eachHead(let norms): norms.flatMap(\.parameters)
        }
    }

    /// Normalises the heads of rows [T, heads·D], in the same shape.
    func callAsFunction(_ x: Tensor, heads: Int, on tape: Tape?) -> Tensor {
        let (rows, dim) = (x.shape[0], x.shape[1] / heads)
        switch self {
        case .everyHead(let norm): return norm(x.reshaped([rows * heads, dim]), on: tape).reshaped(x.shape)
        case .allHeads(let norm): return norm(x, on: tape)
        case .eachHead(let norms):
            return .joined(
                norms.enumerated().map { norm in norm.element(x.columns(norm.offset * dim..<(norm.offset + 1) * dim), on: tape) })
        }
    }
}
