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
    public func callAsFunction(_ x: Tensor) -> Tensor { self(x, isRounded: false) }

    /// The gated activation f(gate) · up, element by element.
    public func callAsFunction(gate: Tensor, up: Tensor) -> Tensor { self(gate: gate, up: up, isRounded: false) }

    /// Applies the function to every element.
    /// - Parameters:
    ///   - x: the argument.
    ///   - isRounded: whether all that reads the result rounds it to bfloat16 (``Projection/roundsInput(rows:)``).
    func callAsFunction(_ x: Tensor, isRounded: Bool) -> Tensor {
        switch self {
        case .relu: x.activated(.relu, isRounded: isRounded)
        case .gelu: x.activated(.gelu, isRounded: isRounded)
        case .geluNew, .geluTanh, .geluFast: x.activated(.geluTanh, isRounded: isRounded)
        case .quickGELU: x.activated(.quickGELU, isRounded: isRounded)
        case .silu, .swish: x.activated(.silu, isRounded: isRounded)
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
    /// - Parameters:
    ///   - gate: the argument of f.
    ///   - up: the factors, in the same shape.
    ///   - isRounded: whether all that reads the result rounds it to bfloat16 (``Projection/roundsInput(rows:)``). Functions without a
    ///     kernel for the whole make floats in any case.
    func callAsFunction(gate: Tensor, up: Tensor, isRounded: Bool) -> Tensor {
        gated.map { gate.gated($0, up: up, isRounded: isRounded) } ?? self(gate) * up
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
