public import Tensor

/// The classification head of an encoder: a pooling of the token states, followed by layers that compute the logits.
public struct ClassifierHead {
    /// One layer of the head.
    public enum Step {
        /// A linear layer x Wᵀ + b, followed by an optional elementwise function.
        case dense(Projection, then: (@Sendable (Tensor) -> Tensor)?)
        /// A normalisation.
        case norm(Norm)
    }

    /// How the states of a text are pooled to one vector.
    public var pooling: Pooling
    /// The layers, the last of which computes the logits.
    public var steps: [Step]

    /// Creates a head from its parts.
    public init(pooling: Pooling = .cls, _ steps: [Step]) { (self.pooling, self.steps) = (pooling, steps) }

    /// Computes the logits [N, labels] from pooled states [N, C].
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

    /// Creates the head that most families have: a linear layer with an activation function, then the linear layer of the logits.
    /// - Parameters:
    ///   - weights: the source of the weights.
    ///   - inner: the name of the first layer, [width, width].
    ///   - outer: the name of the second layer, [labels, width].
    ///   - width: the width of pooled states.
    ///   - labels: the number of labels.
    ///   - function: the activation function between the layers.
    /// - Throws: `CheckpointError` for missing or wrong weights.
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
