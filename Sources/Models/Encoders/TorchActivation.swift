import Foundation
package import Tensor

/// The activation functions of `torch.nn` that a Dense module may use, with their default parameters.
package enum TorchActivation: String, Sendable, CaseIterable {
    case identity = "Identity"
    case tanh = "Tanh"
    case relu = "ReLU"
    case gelu = "GELU"
    case sigmoid = "Sigmoid"
    case silu = "SiLU"
    case mish = "Mish"
    case relu6 = "ReLU6"
    case elu = "ELU"
    case selu = "SELU"
    case celu = "CELU"
    case leakyReLU = "LeakyReLU"
    case logSigmoid = "LogSigmoid"
    case softplus = "Softplus"
    case softsign = "Softsign"
    case tanhshrink = "Tanhshrink"
    case softshrink = "Softshrink"
    case hardshrink = "Hardshrink"
    case hardtanh = "Hardtanh"
    case hardswish = "Hardswish"
    case hardsigmoid = "Hardsigmoid"

    /// The function of a torch class, given by its full name; nil if it is not supported.
    init?(className: String) {
        guard className.hasPrefix("torch.nn."), let name = className.split(separator: ".").last else { return nil }
        self.init(rawValue: String(name))
    }

    /// Applies the function to every element.
    package func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .identity: return x
        case .tanh: return x.tanh()
        case .relu: return x.relu()
        case .gelu: return x.gelu()
        case .silu: return x.silu()
        default:
            return Tensor.uninitialized(x.shape) { out in
                for index in 0..<x.shape.count { out[index] = Float(value(Double(x.pointer[index]))) }
            }
        }
    }

    private func value(_ x: Double) -> Double {
        /// log(1 + eˣ)
        func softplus() -> Double { x > 20 ? x : log1p(exp(x)) }
        switch self {
        case .identity: return x
        case .tanh: return Foundation.tanh(x)
        case .relu: return max(x, 0)
        case .gelu: return x * 0.5 * (1 + erf(x / 2.0.squareRoot()))
        case .sigmoid: return 1 / (1 + exp(-x))
        case .silu: return x / (1 + exp(-x))
        case .mish: return x * Foundation.tanh(softplus())
        case .relu6: return min(max(x, 0), 6)
        case .elu, .celu: return x > 0 ? x : expm1(x)
        case .selu: return 1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * expm1(x))
        case .leakyReLU: return x > 0 ? x : 0.01 * x
        case .logSigmoid: return min(x, 0) - log1p(exp(-abs(x)))
        case .softplus: return softplus()
        case .softsign: return x / (1 + abs(x))
        case .tanhshrink: return x - Foundation.tanh(x)
        case .softshrink: return x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : 0
        case .hardshrink: return abs(x) > 0.5 ? x : 0
        case .hardtanh: return min(max(x, -1), 1)
        case .hardswish: return x * min(max(x + 3, 0), 6) / 6
        case .hardsigmoid: return min(max(x + 3, 0), 6) / 6
        }
    }
}
