// Elementwise operations of one or two tensors, with their derivatives.

extension Tensor {
    /// The sum of two tensors of the same shape.
    public static func + (a: Tensor, b: Tensor) -> Tensor { Binary.apply(.add, a, b) }
    /// The difference of two tensors of the same shape.
    public static func - (a: Tensor, b: Tensor) -> Tensor { Binary.apply(.subtract, a, b) }
    /// The elementwise product of two tensors of the same shape.
    public static func * (a: Tensor, b: Tensor) -> Tensor { Binary.apply(.multiply, a, b) }
    /// The elementwise minimum of two tensors of the same shape. In a tie, the gradient goes to `a`.
    public static func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { Binary.apply(.minimum, a, b) }
    /// The elementwise maximum of two tensors of the same shape. In a tie, the gradient goes to `a`.
    public static func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { Binary.apply(.maximum, a, b) }

    /// Every element times a constant.
    public static func * (factor: Float, x: Tensor) -> Tensor { x.scaled(by: factor) }
    /// Every element times a constant.
    public func scaled(by factor: Float) -> Tensor {
        let kernels = Kernels.current
        let x = widened()
        let result = Tensor.uninitialized(shape) { out in
            Compute.forChunks(count, grain: 65_536) {
                kernels.pointee.scale($0.count, factor, x.pointer + $0.lowerBound, out + $0.lowerBound)
            }
        }
        return recorded(as: result) { .scale(Scale(input: $0, factor: factor)) }
    }
    /// The negative of every element.
    public static prefix func - (x: Tensor) -> Tensor { x.scaled(by: -1) }

    /// eˣ of every element.
    public func exponentiated() -> Tensor { Unary.apply(.exponential, self) }
    /// The square of every element.
    public func squared() -> Tensor { Unary.apply(.square, self) }
    /// tanh of every element.
    public func tanh() -> Tensor { Unary.apply(.tanh, self) }
    /// max(x, 0) of every element.
    public func relu() -> Tensor { Unary.apply(.relu, self) }
    /// GELU (Hendrycks & Gimpel 2016) of every element: x·Φ(x), with Φ the standard normal distribution function; accurate to
    /// 2e-7.
    public func gelu() -> Tensor { Unary.apply(.gelu, self) }
    /// The tanh approximation of ``gelu()``, as in GPT-2.
    public func geluTanh() -> Tensor { Unary.apply(.geluTanh, self) }
    /// SiLU, also known as swish, of every element (Elfwing et al. 2018): x·σ(x).
    public func silu() -> Tensor { Unary.apply(.silu, self) }
    /// x·σ(1.702 x) of every element, an approximation of ``gelu()`` that some released models use.
    public func quickGELU() -> Tensor { Unary.apply(.quickGELU, self) }
    /// log σ(x) = −log(1 + e⁻ˣ) of every element, computed without overflow.
    public func logSigmoid() -> Tensor { Unary.apply(.logSigmoid, self) }
    /// Every element clamped to `range`. The gradient is zero outside of the range.
    public func clamped(to range: ClosedRange<Float>) -> Tensor { Unary.apply(.clamp(range.lowerBound, range.upperBound), self) }

    /// The functions of one variable that stand between two linear layers.
    package enum Activation: Sendable { case relu, gelu, geluTanh, silu, quickGELU }

    /// An activation function of every element.
    /// - Parameters:
    ///   - activation: the function.
    ///   - isRounded: whether to make only elements rounded to bfloat16, if this is a matrix of an even width: for products that round
    ///     them (``roundsInput(rows:isTrained:)``).
    package func activated(_ activation: Activation, isRounded: Bool) -> Tensor {
        let kind: Unary.Kind =
            switch activation {
            case .relu: .relu
            case .gelu: .gelu
            case .geluTanh: .geluTanh
            case .silu: .silu
            case .quickGELU: .quickGELU
            }
        return Unary.apply(kind, self, isRounded: isRounded)
    }

    /// Adds another tensor of the same shape to this one, in place and without a tape.
    package mutating func add(inPlace other: Tensor) {
        precondition(shape == other.shape, "cannot add \(other.shape) to \(shape)")
        let kernels = Kernels.current
        let other = other.widened()
        update { buffer in
            guard let base = buffer.baseAddress else { return }
            Compute.forChunks(buffer.count, grain: 65_536) {
                kernels.pointee.add($0.count, base + $0.lowerBound, other.pointer + $0.lowerBound, base + $0.lowerBound)
            }
        }
    }
}

struct Binary {
    enum Kind { case add, subtract, multiply, minimum, maximum }
    let kind: Kind
    let a: Tensor?
    let b: Tensor?
    let places: [Int?]

    static func apply(_ kind: Kind, _ a: Tensor, _ b: Tensor) -> Tensor {
        precondition(a.shape == b.shape, "\(kind) needs two tensors of the same shape, not \(a.shape) and \(b.shape)")
        let (a, b) = (a.widened(), b.widened())
        let kernels = Kernels.current
        let result = Tensor.uninitialized(a.shape) { out in
            Compute.forChunks(a.count, grain: 65_536) { range in
                let (x, y, z) = (a.pointer + range.lowerBound, b.pointer + range.lowerBound, out + range.lowerBound)
                switch kind {
                case .add: kernels.pointee.add(range.count, x, y, z)
                case .subtract: kernels.pointee.subtract(range.count, x, y, z)
                case .multiply: kernels.pointee.multiply(range.count, x, y, z)
                case .minimum: for i in 0..<range.count { z[i] = x[i] <= y[i] ? x[i] : y[i] }
                case .maximum: for i in 0..<range.count { z[i] = x[i] >= y[i] ? x[i] : y[i] }
                }
            }
        }
        let keep = kind != .add && kind != .subtract
        return Tensor.recorded(result, from: [a, b]) {
            .binary(Binary(kind: kind, a: keep ? a.detached : nil, b: keep ? b.detached : nil, places: $0))
        }
    }

    func backward(_ gradient: Tensor, on tape: Tape) {
        switch (kind, a, b) {
        case (.add, _, _):
            tape.add(gradient, to: places[0])
            tape.add(gradient, to: places[1])
        case (.subtract, _, _):
            tape.add(gradient, to: places[0])
            tape.add(-gradient, to: places[1])
        case (.multiply, let a?, let b?):
            tape.add(gradient * b, to: places[0])
            tape.add(gradient * a, to: places[1])
        case (_, let a?, let b?):
            let chosen = zip(a.values, b.values).map { kind == .minimum ? $0 <= $1 : $0 >= $1 }
            func part(_ flag: Bool) -> Tensor {
                Tensor(zip(gradient.values, chosen).map { $1 == flag ? $0 : 0 }, shape: gradient.shape)
            }
            tape.add(part(true), to: places[0])
            tape.add(part(false), to: places[1])
        default: preconditionFailure("\(kind) was recorded without its inputs")
        }
    }
}

struct Scale {
    let input: Int
    let factor: Float
    func backward(_ gradient: Tensor, on tape: Tape) { tape.add(gradient.scaled(by: factor), to: input) }
}

struct Reshape {
    let input: Int
    let shape: Shape
    func backward(_ gradient: Tensor, on tape: Tape) { tape.add(gradient.reshaped(shape), to: input) }
}
