#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A function of one variable, applied to every element.
struct Unary {
    enum Kind: Equatable {
        case exponential, square, tanh, relu, gelu, geluTanh, silu, quickGELU, logSigmoid, clamp(Float, Float)

        /// Whether the derivative is a function of the output.
        var savesOutput: Bool { self == .exponential || self == .tanh }
    }
    let kind: Kind
    /// The input, or the output where the derivative is a function of the output.
    let saved: Tensor
    let place: Int

    /// Applies a function.
    /// - Parameters:
    ///   - kind: the function.
    ///   - input: its argument.
    ///   - isRounded: whether to make only elements rounded to bfloat16, if `input` is a matrix of an even width; not for a function whose
    ///     output is saved.
    static func apply(_ kind: Kind, _ input: Tensor, isRounded: Bool = false) -> Tensor {
        let x = input.widened()
        let kernels = Kernels.current
        let result = Tensor.made(x.shape, isRounded: isRounded && !kind.savesOutput) { range, output in
            let (n, input) = (range.count, x.pointer + range.lowerBound)
            switch kind {
            case .exponential: kernels.pointee.exponential(n, input, output)
            case .square: kernels.pointee.multiply(n, input, input, output)
            case .tanh: kernels.pointee.tanh_forward(n, input, output)
            case .relu: kernels.pointee.relu(n, input, output)
            case .gelu: kernels.pointee.gelu_erf(n, input, output)
            case .geluTanh: kernels.pointee.gelu_tanh(n, input, output)
            case .silu: for i in 0..<n { output[i] = input[i] / (1 + expf(-input[i])) }
            case .quickGELU: for i in 0..<n { output[i] = input[i] / (1 + expf(-1.702 * input[i])) }
            case .logSigmoid: for i in 0..<n { output[i] = min(input[i], 0) - log1pf(expf(-abs(input[i]))) }
            case .clamp(let low, let high): for i in 0..<n { output[i] = min(max(input[i], low), high) }
            }
        }
        return x.recorded(as: result) {
            .unary(Unary(kind: kind, saved: kind.savesOutput ? result : x.detached, place: $0))
        }
    }

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        let dx = Tensor.made(gradient.shape, isRounded: tape.roundsGradient(of: place)) { range, dx in
            let (n, x, dy) = (range.count, saved.pointer + range.lowerBound, gradient.pointer + range.lowerBound)
            switch kind {
            case .exponential: kernels.pointee.multiply(n, x, dy, dx)
            case .square: for i in 0..<n { dx[i] = 2 * x[i] * dy[i] }
            case .tanh: for i in 0..<n { dx[i] = (1 - x[i] * x[i]) * dy[i] }
            case .relu: kernels.pointee.relu_backward(n, x, dy, dx)
            case .gelu: kernels.pointee.gelu_erf_backward(n, x, dy, dx)
            case .geluTanh: kernels.pointee.gelu_tanh_backward(n, x, dy, dx)
            case .silu:
                for i in 0..<n {
                    let sigmoid = 1 / (1 + expf(-x[i]))
                    dx[i] = sigmoid * (1 + x[i] * (1 - sigmoid)) * dy[i]
                }
            case .quickGELU:
                for i in 0..<n {
                    let sigmoid = 1 / (1 + expf(-1.702 * x[i]))
                    dx[i] = sigmoid * (1 + 1.702 * x[i] * (1 - sigmoid)) * dy[i]
                }
            case .logSigmoid: for i in 0..<n { dx[i] = dy[i] / (1 + expf(x[i])) }
            case .clamp(let low, let high): for i in 0..<n { dx[i] = x[i] >= low && x[i] <= high ? dy[i] : 0 }
            }
        }
        tape.add(dx, to: place)
    }
}
