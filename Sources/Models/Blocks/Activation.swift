public import Tensor

/// Activation functions of feed-forward layers, by their names in Transformers.
public enum Activation: String, Sendable, CaseIterable {
    /// max(x, 0).
    case relu
    /// GELU, exact: x · Φ(x) with the normal distribution function Φ.
    case gelu
    /// GELU with the tanh approximation.
    case geluNew = "gelu_new"
    /// GELU with the tanh approximation, under its later name.
    case geluTanh = "gelu_pytorch_tanh"
    /// GELU with the tanh approximation, in another order of operations.
    case geluFast = "gelu_fast"
    /// x · σ(1.702 x).
    case quickGELU = "quick_gelu"
    /// x · σ(x).
    case silu
    /// ``silu`` under its other name.
    case swish

    /// Applies the function to every element.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu: x.relu()
        case .gelu: x.gelu()
        case .geluNew, .geluTanh, .geluFast: x.geluTanh()
        case .quickGELU: x.quickGELU()
        case .silu, .swish: x.silu()
        }
    }

    /// The gated activation with its own kernel; nil if there is none.
    var gated: GatedActivation? {
        switch self {
        case .silu, .swish: .silu
        case .geluNew, .geluTanh, .geluFast: .geluTanh
        case .relu, .gelu, .quickGELU: nil
        }
    }

    /// The gated activation f(gate) · up, element by element.
    public func callAsFunction(gate: Tensor, up: Tensor) -> Tensor {
        gated.map { gate.gated($0, up: up) } ?? self(gate) * up
    }

    /// Reads a function from a key of config.json; `fallback` if the key is missing.
    /// - Throws: ``ModelError/unsupported(_:)`` for an unknown name.
    public init(reading key: String, of file: ConfigurationReader, or fallback: Activation) throws {
        guard let name = try file.optionalString(key) else {
            self = fallback
            return
        }
        guard let known = Activation(rawValue: name) else {
            throw ModelError.unsupported(
                "\(key) '\(name)' (supported: \(Activation.allCases.map(\.rawValue).joined(separator: ", ")))")
        }
        self = known
    }
}
