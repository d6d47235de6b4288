import Tensor

/// The format in which frozen weights are held in memory.
public enum FrozenFormat: String, Sendable, CaseIterable, Codable {
    /// As the checkpoint stores them, without rounding.
    case f32
    /// bfloat16, 2 bytes per weight.
    case bf16
    /// Blocks of 32 8-bit integers with a scale (ggml's Q8_0), 34 bytes per 32 weights.
    case int8
}

/// Narrower formats for the weights that training leaves as they are.
public enum FrozenWeights {
    /// Holds the frozen matrices of models in a format.
    ///
    /// - Parameters:
    ///   - models: the models that share weights.
    ///   - format: the format.
    /// - Returns: the bytes of the matrices before and after; a matrix that several models share is counted once.
    @discardableResult
    public static func hold(_ models: [any TransformerDecoder], as format: FrozenFormat) throws -> (before: Int, after: Int) {
        precondition(format == .f32, "only f32 is implemented")
        var seen: Set<ObjectIdentifier> = []
        let matrices = models.flatMap(\.parameters).filter {
            !$0.isTrainable && $0.value.shape.rank == 2 && seen.insert(ObjectIdentifier($0.value.storage)).inserted
        }
        let bytes = matrices.reduce(0) { $0 + $1.value.storage.format.byteCount(of: $1.value.count) }
        return (bytes, bytes)
    }
}
