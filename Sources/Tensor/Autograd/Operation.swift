/// The differentiable operations of the module, each with the values that its backward pass needs.
///
/// This list is complete: an operation that is not in it cannot be recorded. A missing gradient is therefore a compile-time error
/// and never a silent zero. The payload of each case is defined next to its forward function in Operations/.
enum Operation {
    case reshape(Reshape)
    case binary(Binary)
    case unary(Unary)
    case scale(Scale)
    case scaleColumns(ScaleColumns)
    case dropout(Dropout)
    case sum(Sum)
    case selectRows(SelectRows)
    case selectColumns(SelectColumns)
    case joinColumns(JoinColumns)
    case embedding(Embedding)
    case linear(Linear)
    case linearSum(LinearSum)
    case linearGroup(LinearGroup)
    case linearMember(LinearMember)
    case matmul(MatMul)
    case rmsNorm(RMSNorm)
    case layerNorm(LayerNorm)
    case rotary(Rotary)
    case gated(Gated)
    case softmax(Softmax)
    case attention(Attention)
    case linearLogProbs(LinearLogProbs)
    case linearCrossEntropy(LinearCrossEntropy)
    case recomputed(Recomputed)

    /// The name of the case.
    var name: String { Mirror(reflecting: self).children.first?.label ?? "operation" }

    /// Whether the operation saves its output for the backward pass.
    var keepsResult: Bool {
        switch self {
        case .attention, .softmax: true
        case .unary(let operation): operation.kind.savesOutput
        default: false
        }
    }

    /// Whether the operation reads the gradient of its output only in products that round it to bfloat16.
    var roundsGradient: Bool {
        if case .linear(let operation) = self { operation.roundsGradient } else { false }
    }

    /// Given the gradient of the output, adds the gradients of the operation's inputs to the tape.
    func backward(_ gradient: Tensor, on tape: Tape) {
        switch self {
        case .reshape(let operation): operation.backward(gradient, on: tape)
        case .binary(let operation): operation.backward(gradient, on: tape)
        case .unary(let operation): operation.backward(gradient, on: tape)
        case .scale(let operation): operation.backward(gradient, on: tape)
        case .scaleColumns(let operation): operation.backward(gradient, on: tape)
        case .dropout(let operation): operation.backward(gradient, on: tape)
        case .sum(let operation): operation.backward(gradient, on: tape)
        case .selectRows(let operation): operation.backward(gradient, on: tape)
        case .selectColumns(let operation): operation.backward(gradient, on: tape)
        case .joinColumns(let operation): operation.backward(gradient, on: tape)
        case .embedding(let operation): operation.backward(gradient, on: tape)
        case .linear(let operation): operation.backward(gradient, on: tape)
        case .linearSum(let operation): operation.backward(gradient, on: tape)
        case .linearGroup(let operation): operation.backward(on: tape)
        case .linearMember(let operation): operation.backward(gradient, on: tape)
        case .matmul(let operation): operation.backward(gradient, on: tape)
        case .rmsNorm(let operation): operation.backward(gradient, on: tape)
        case .layerNorm(let operation): operation.backward(gradient, on: tape)
        case .rotary(let operation): operation.backward(gradient, on: tape)
        case .gated(let operation): operation.backward(gradient, on: tape)
        case .softmax(let operation): operation.backward(gradient, on: tape)
        case .attention(let operation): operation.backward(gradient, on: tape)
        case .linearLogProbs(let operation): operation.backward(gradient, on: tape)
        case .linearCrossEntropy(let operation): operation.backward(gradient, on: tape)
        case .recomputed(let operation): operation.backward(gradient, on: tape)
        }
    }
}
