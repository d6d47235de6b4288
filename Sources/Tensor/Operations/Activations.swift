// SwiGLU and softmax.

extension Tensor {
    /// SwiGLU (Shazeer 2020): silu(gate) · up, element by element; this tensor is the gate.
    public func swiglu(up: Tensor) -> Tensor {
        precondition(shape == up.shape, "swiglu needs two tensors of one shape, not \(shape) and \(up.shape)")
        let kernels = Kernels.current
        let (gate, up) = (widened(), up.widened())
        let result = Tensor.uninitialized(shape) { out in
            Compute.forChunks(count, grain: 32_768) {
                kernels.pointee.swiglu($0.count, gate.pointer + $0.lowerBound, up.pointer + $0.lowerBound, out + $0.lowerBound)
            }
        }
        return Tensor.recorded(result, from: [self, up]) {
            .swiglu(SwiGLU(gate: gate.detached, up: up.detached, places: $0))
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

struct SwiGLU {
    let gate: Tensor
    let up: Tensor
    let places: [Int?]

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        let dup = Tensor.uninitialized(up.shape) { _ in }
        let dgate = Tensor.uninitialized(gate.shape) { out in
            Compute.forChunks(gate.count, grain: 32_768) {
                let at = $0.lowerBound
                kernels.pointee.swiglu_backward(
                    $0.count, gate.pointer + at, up.pointer + at, gradient.pointer + at, out + at, dup.mutablePointer + at)
            }
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
