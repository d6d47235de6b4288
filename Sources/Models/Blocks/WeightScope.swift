public import Tensor

/// The weights below a prefix of the names in a checkpoint, such as `model.layers.3`: what a family takes the pieces of a layer from.
public struct WeightScope {
    private let source: any WeightSource
    private let prefix: String

    /// All weights of a source, or those below a prefix.
    public init(_ source: any WeightSource, _ prefix: String = "") {
        (self.source, self.prefix) = (source, prefix)
    }

    private func name(_ part: String) -> String { prefix.isEmpty ? part : "\(prefix).\(part)" }

    /// The weights below a further part of the name.
    public func below(_ part: String) -> WeightScope { WeightScope(source, name(part)) }

    /// `<prefix>.<name>.weight` of the given shape.
    public func weight(_ part: String, _ shape: Shape) throws -> Parameter { try source.parameter("\(name(part)).weight", shape) }
    /// `<prefix>.<name>.bias` of the given width.
    public func bias(_ part: String, _ width: Int) throws -> Parameter {
        try source.parameter("\(name(part)).bias", [width], fresh: .zeros)
    }
    /// A projection [outputs, inputs] and its bias.
    public func projection(_ part: String, _ outputs: Int, _ inputs: Int, bias: Bool = false) throws -> Projection {
        try Projection(source, name(part), outputs: outputs, inputs: inputs, bias: bias)
    }
    /// A normalisation.
    public func norm(_ kind: Norm.Kind, _ part: String, width: Int, epsilon: Double) throws -> Norm {
        try Norm(kind, source, name(part), width: width, epsilon: epsilon)
    }
}
