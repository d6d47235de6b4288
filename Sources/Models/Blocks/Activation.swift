public import Tensor

/// The functions between the two matrices of a feed-forward layer, by the names of Transformers.
public enum Activation: String, Sendable, CaseIterable {
    /// max(x, 0).
    case relu
    /// With the normal distribution's own Φ.
    case gelu
    /// The tanh approximation.
    case geluNew = "gelu_new"
    /// The tanh approximation under its later name.
    case geluTanh = "gelu_pytorch_tanh"
    /// The tanh approximation in another order of operations.
    case geluFast = "gelu_fast"
    /// x · σ(1.702 x).
    case quickGELU = "quick_gelu"
    /// x · σ(x).
    case silu
    /// ``silu`` under its other name.
    case swish

    /// The function of every element.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu: x.relu()
        case .gelu: x.gelu()
        case .geluNew, .geluTanh, .geluFast: x.geluTanh()
        case .quickGELU: x.quickGELU()
        case .silu, .swish: x.silu()
        }
    }

    /// f(gate) · up of every element.
    public func callAsFunction(gate: Tensor, up: Tensor) -> Tensor {
        switch self {
        case .silu, .swish: gate.gated(.silu, up: up)
        case .geluNew, .geluTanh, .geluFast: gate.gated(.geluTanh, up: up)
        case .relu, .gelu, .quickGELU: self(gate) * up
        }
    }

    /// Reads a key of config.json.
    /// - Throws: ``ModelError/unsupported(_:)`` for a name that is not among the cases.
    init(reading key: String, of file: ConfigurationReader, or fallback: Activation) throws {
        guard let name = try file.optionalString(key) else {
            self = fallback
            return
        }
        guard let known = Activation(rawValue: name) else {
            throw ModelError.unsupported(
                "\(key) '\(name)'; known are \(Activation.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = known
    }
}
