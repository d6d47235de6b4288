public import Tensor

/// What makes logits of the states of a text's tokens: a pooling and some layers.
public struct ClassifierHead {
    /// One layer.
    public enum Step {
        /// x Wᵀ + b, and a function of every element.
        case dense(Projection, then: (@Sendable (Tensor) -> Tensor)?)
        /// A normalisation.
        case norm(Norm)
    }

    /// How states become one vector.
    public var pooling: Pooling
    /// The layers, the last of which gives the logits.
    public var steps: [Step]

    /// A head.
    public init(pooling: Pooling = .cls, _ steps: [Step]) { (self.pooling, self.steps) = (pooling, steps) }

    /// Logits [N, labels] of pooled states [N, C].
    func callAsFunction(_ pooled: Tensor) -> Tensor {
        steps.reduce(pooled) { x, step in
            switch step {
            case .dense(let projection, let function):
                let result = projection(x, on: nil)
                return function.map { $0(result) } ?? result
            case .norm(let norm): return norm(x, on: nil)
            }
        }
    }

    /// A matrix with a function behind it, then the matrix that gives the logits: the form that most families have.
    public static func twoLayers(
        _ weights: WeightScope, _ inner: String, _ outer: String, width: Int, labels: Int,
        then function: @escaping @Sendable (Tensor) -> Tensor
    ) throws -> ClassifierHead {
        ClassifierHead([
            .dense(try weights.projection(inner, width, width, bias: true), then: function),
            .dense(try weights.projection(outer, labels, width, bias: true), then: nil),
        ])
    }
}
