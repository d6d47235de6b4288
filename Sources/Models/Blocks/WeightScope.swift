public import Tensor

/// The weights whose names in a checkpoint begin with a prefix, such as `model.layers.3`. Families read the parts of a layer from
/// it.
public struct WeightScope {
    private let source: any WeightSource
    private let prefix: String

    /// Creates the scope of all weights of a source, or of those below a prefix.
    public init(_ source: any WeightSource, _ prefix: String = "") {
        (self.source, self.prefix) = (source, prefix)
    }

    private func name(_ part: String) -> String { prefix.isEmpty ? part : "\(prefix).\(part)" }

    /// The scope of the weights below another component of the name.
    public func below(_ part: String) -> WeightScope { WeightScope(source, name(part)) }

    /// Reads `<prefix>.<part>.weight` with the given shape.
    public func weight(_ part: String, _ shape: Shape) throws -> Parameter { try source.parameter("\(name(part)).weight", shape) }
    /// Reads `<prefix>.<part>.bias`, [width].
    public func bias(_ part: String, _ width: Int) throws -> Parameter {
        try source.parameter("\(name(part)).bias", [width], fresh: .zeros)
    }
    /// Reads a projection [outputs, inputs], with a bias if requested. If it is transposed, checkpoints store it as [inputs, outputs].
    public func projection(
        _ part: String, _ outputs: Int, _ inputs: Int, bias: Bool = false, transposed: Bool = false
    ) throws -> Projection {
        try Projection(source, name(part), outputs: outputs, inputs: inputs, bias: bias, transposed: transposed)
    }
    /// Reads a norm over `width` channels.
    public func norm(_ kind: Norm.Kind, _ part: String, width: Int, epsilon: Double) throws -> Norm {
        try Norm(kind, source, name(part), width: width, epsilon: epsilon)
    }
}
