internal import Formats
import Foundation
import Tensor

/// A sentence-transformers module that is applied to vectors after the pooling.
enum SentenceStep {
    /// A linear layer with an activation function, f(x Wᵀ + b), and an optional residual connection.
    case dense(Projection, TorchActivation, Residual)
    /// LayerNorm.
    case norm(Norm)
    /// Division of each vector by its Euclidean norm.
    case normalise
    /// No change: the module only has an effect in training.
    case nothing

    /// The residual connection of a Dense module: none, its input, or a projection of its input.
    enum Residual {
        case none
        case input
        case projected(Projection)
    }

    /// The kinds of modules that may follow the pooling.
    static let kinds = ["Dense", "LayerNorm", "Normalize", "Dropout"]

    /// Reads a module whose inputs are vectors of the given width.
    /// - Throws: ``EncoderError/module(file:problem:)`` for unsupported settings; `CheckpointError`, ``ModelError``.
    init(_ module: SentenceModules.Module, inputs: Int) throws {
        switch module.kind {
        case "Dense": self = try Self.dense(module, inputs)
        case "LayerNorm": self = try Self.norm(module, inputs)
        case "Normalize":
            try module.configuration(isRequired: false) { file in try module.expectSentenceVectors(file) }
            self = .normalise
        case "Dropout": self = .nothing
        default: throw module.unsupported
        }
    }

    /// The width of the output; nil if it is that of the input.
    var width: Int? {
        if case .dense(let projection, _, _) = self { projection.weight.value.shape[0] } else { nil }
    }

    func callAsFunction(_ vectors: Tensor) -> Tensor {
        switch self {
        case .dense(let projection, let function, let residual):
            let result = function(projection(vectors, on: nil))
            switch residual {
            case .none: return result
            case .input: return result + vectors
            case .projected(let other): return result + other(vectors, on: nil)
            }
        case .norm(let norm): return norm(vectors, on: nil)
        case .normalise: return Self.normalised(vectors)
        case .nothing: return vectors
        }
    }

    private static func dense(_ module: SentenceModules.Module, _ inputs: Int) throws -> SentenceStep {
        let (outputs, bias, function, isResidual) = try module.configuration { file in
            guard try file.count("in_features") == inputs else {
                throw module.fault("in_features must be \(inputs), the output width of the previous module")
            }
            try module.expectSentenceVectors(file)
            let name = file.has("activation_function") ? try file.string("activation_function") : "torch.nn.Tanh"
            guard let function = TorchActivation(className: name) else {
                let known = TorchActivation.allCases.map(\.rawValue).joined(separator: ", ")
                throw module.fault("activation_function \(name) is not supported; supported are the torch.nn functions \(known)")
            }
            return (try file.count("out_features"), try file.flag("bias", or: true), function, try file.flag("use_residual", or: false))
        }
        let weights = try ModelFolder(module.folder).weights()
        let projection = try Projection(weights, "linear", outputs: outputs, inputs: inputs, bias: bias)
        var names: Set = bias ? ["linear.weight", "linear.bias"] : ["linear.weight"]
        var residual = isResidual ? Residual.input : .none
        if isResidual, inputs != outputs {
            residual = .projected(try Projection(weights, "residual", outputs: outputs, inputs: inputs, bias: false))
            names.insert("residual.weight")
        }
        try weights.checkSurplus(expected: names)
        return .dense(projection, function, residual)
    }

    private static func norm(_ module: SentenceModules.Module, _ inputs: Int) throws -> SentenceStep {
        try module.configuration { file in
            guard try file.count("dimension") == inputs else {
                throw module.fault("dimension must be \(inputs), the output width of the previous module")
            }
        }
        let weights = try ModelFolder(module.folder).weights()
        let norm = try Norm(.layer, weights, "norm", width: inputs, epsilon: 1e-5)
        try weights.checkSurplus(expected: ["norm.weight", "norm.bias"])
        return .norm(norm)
    }

    /// Every row divided by its Euclidean norm, or by 1e-12 if that is larger.
    private static func normalised(_ vectors: Tensor) -> Tensor {
        let width = vectors.shape.width
        return Tensor.uninitialized(vectors.shape) { out in
            for row in 0..<vectors.shape.rows {
                let from = vectors.pointer + row * width
                var sum: Float = 0
                for c in 0..<width { sum += from[c] * from[c] }
                let divisor = max(sum.squareRoot(), 1e-12)
                for c in 0..<width { out[row * width + c] = from[c] / divisor }
            }
        }
    }
}
