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
        func evaluate(_ range: Range<Int>, _ output: UnsafeMutablePointer<Float>) {
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
        let result =
            isRounded && !kind.savesOutput && RoundedRows.canHold(x.shape)
            ? Tensor(RoundedRows.making(kernels, rows: x.shape[0], width: x.shape[1]) { evaluate($0, $1[0]) }[0])
            : Tensor.uninitialized(x.shape) { out in Compute.forChunks(x.count, grain: 32_768) { evaluate($0, out + $0.lowerBound) } }
        return x.recorded(as: result) {
            .unary(Unary(kind: kind, saved: kind.savesOutput ? result : x.detached, place: $0))
        }
    }

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        func differentiate(_ range: Range<Int>, _ dx: UnsafeMutablePointer<Float>) {
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
        let dx =
            tape.roundsGradient(of: place) && RoundedRows.canHold(gradient.shape)
            ? Tensor(
                RoundedRows.making(kernels, rows: gradient.shape[0], width: gradient.shape[1]) { differentiate($0, $1[0]) }[0])
            : Tensor.uninitialized(gradient.shape) { out in
                Compute.forChunks(gradient.count, grain: 32_768) { differentiate($0, out + $0.lowerBound) }
            }
        tape.add(dx, to: place)
    }
}
