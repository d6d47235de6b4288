// Gated activations and softmax.

/// The gated activation functions that have their own kernel; see ``Tensor/gated(_:up:)``.
public enum GatedActivation: Sendable, Equatable {
    /// SwiGLU (Shazeer 2020): silu(gate) · up.
    case silu
    /// GeGLU (Shazeer 2020) with the tanh approximation of GELU, as in Gemma: gelu(gate) · up.
    case geluTanh
}

extension Tensor {
    /// SwiGLU (Shazeer 2020): silu(gate) · up, element by element. This tensor is the gate; `up` has the same shape.
    public func swiglu(up: Tensor) -> Tensor { gated(.silu, up: up) }

    /// A gated activation: f(gate) · up, element by element. This tensor is the gate; `up` has the same shape.
    public func gated(_ activation: GatedActivation, up: Tensor) -> Tensor { gated(activation, up: up, isRounded: false) }

    /// A gated activation: f(gate) · up, element by element. This tensor is the gate.
    /// - Parameters:
    ///   - activation: the function f.
    ///   - up: a tensor of the same shape.
    ///   - isRounded: whether to make only elements rounded to bfloat16, if this is a matrix of an even width: for products that round
    ///     them (``roundsInput(rows:isTrained:)``).
    package func gated(_ activation: GatedActivation, up: Tensor, isRounded: Bool) -> Tensor {
        precondition(shape == up.shape, "a gate and its input need the same shape, not \(shape) and \(up.shape)")
        let kernels = Kernels.current
        let (gate, up) = (widened(), up.widened())
        let result = Tensor.made(shape, isRounded: isRounded) { range, out in
            let (gate, up) = (gate.pointer + range.lowerBound, up.pointer + range.lowerBound)
            activation.apply(kernels, count: range.count, gate: gate, up: up, into: out)
        }
        return Tensor.recorded(result, from: [self, up]) {
            .gated(Gated(activation: activation, gate: gate.detached, up: up.detached, places: $0))
        }
    }

    /// The softmax over the last axis, in the same shape.
    public func softmax() -> Tensor {
        let kernels = Kernels.current
        let width = shape.width
        let x = widened()
        let result = Tensor.uninitialized(shape) { out in
            Compute.forRows(shape.rows, width: width) { range in
                kernels.pointee.softmax(range.count, width, x.pointer + range.lowerBound * width, out + range.lowerBound * width)
            }
        }
        return recorded(as: result) { .softmax(Softmax(input: $0, result: result)) }
    }
}

struct Gated {
    let activation: GatedActivation
    let gate: Tensor
    let up: Tensor
    let places: [Int?]

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        func differentiate(_ range: Range<Int>, _ dgate: UnsafeMutablePointer<Float>, _ dup: UnsafeMutablePointer<Float>) {
            let (n, gate, up, dy) = (
                range.count, gate.pointer + range.lowerBound, up.pointer + range.lowerBound, gradient.pointer + range.lowerBound
            )
            switch activation {
            case .silu: kernels.pointee.swiglu_backward(n, gate, up, dy, dgate, dup)
            case .geluTanh: kernels.pointee.geglu_tanh_backward(n, gate, up, dy, dgate, dup)
            }
        }
        if places.allSatisfy(tape.roundsGradient), RoundedRows.canHold(gate.shape) {
            let made = RoundedRows.making(kernels, count: 2, rows: gate.shape[0], width: gate.shape[1]) { differentiate($0, $1[0], $1[1]) }
            tape.add(Tensor(made[0]), to: places[0])
            tape.add(Tensor(made[1]), to: places[1])
            return
        }
        let dup = Tensor.uninitialized(up.shape) { _ in }
        let dgate = Tensor.uninitialized(gate.shape) { out in
            Compute.forChunks(gate.count, grain: 32_768) { differentiate($0, out + $0.lowerBound, dup.mutablePointer + $0.lowerBound) }
        }
        tape.add(dgate, to: places[0])
        tape.add(dup, to: places[1])
    }
}

struct Softmax {
    let input: Int
    let result: Tensor

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        let width = result.shape.width
        let dx = Tensor.uninitialized(result.shape) { out in
            Compute.forRows(result.shape.rows, width: width) { range in
                let first = range.lowerBound * width
                kernels.pointee.softmax_backward(
                    range.count, width, result.pointer + first, gradient.pointer + first, out + first)
            }
        }
        tape.add(dx, to: input)
    }
}
