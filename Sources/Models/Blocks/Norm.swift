public import Tensor

/// A normalisation of rows, as layers use it: RMSNorm in its two forms, or LayerNorm.
public struct Norm {
    /// What is computed.
    public enum Kind: Sendable, Equatable {
        /// RMSNorm with the weight as its gain (LLaMA).
        case rms
        /// RMSNorm with the gain 1 + weight (Gemma).
        case rmsPlusOne
        /// LayerNorm with a weight and a bias.
        case layer
        /// LayerNorm with a weight and no bias.
        case layerWithoutBias
    }

    private let kind: Kind
    private let weight: Parameter
    private let bias: Parameter?
    private let epsilon: Float

    /// `<name>.weight` and, for ``Kind/layer``, `<name>.bias`.
    public init(_ kind: Kind, _ source: any WeightSource, _ name: String, width: Int, epsilon: Double) throws {
        self.kind = kind
        self.epsilon = Float(epsilon)
        weight = try source.parameter("\(name).weight", [width], fresh: kind == .rmsPlusOne ? .zeros : .ones)
        bias = kind == .layer ? try source.parameter("\(name).bias", [width], fresh: .zeros) : nil
    }

    /// The weight and the bias.
    public var parameters: [Parameter] { bias.map { [weight, $0] } ?? [weight] }

    /// The normalised rows, in the same shape.
    public func callAsFunction(_ x: Tensor, on tape: Tape?) -> Tensor {
        let weight = weight.on(tape)
        switch kind {
        case .rms: return x.rmsNormalised(weight: weight, epsilon: epsilon)
        case .rmsPlusOne: return x.rmsNormalised(weight: weight + .filled(1, weight.shape), epsilon: epsilon)
        case .layer, .layerWithoutBias:
            return x.layerNormalised(weight: weight, bias: bias?.on(tape) ?? .zeros(weight.shape), epsilon: epsilon)
        }
    }
}

/// A normalisation of queries or keys before their rotation.
public enum HeadNorm {
    /// One for the channels of every head (Qwen 3, Gemma 3, Phi).
    case everyHead(Norm)
    /// One for all channels of all heads together (OLMo 2).
    case allHeads(Norm)
    /// One for each head (StableLM).
    case eachHead([Norm])

    /// The parameters.
    var parameters: [Parameter] {
        switch self {
        case .everyHead(let norm), .allHeads(let norm): norm.parameters
        case .eachHead(let norms): norms.flatMap(\.parameters)
        }
    }

    /// The normalised heads of rows [T, heads·D].
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
