import Tensor

/// The number format in which frozen weights are held in memory.
public enum FrozenFormat: String, Sendable, CaseIterable, Codable {
    /// As they are stored; nothing is rounded.
    case f32
    /// Rounded to bfloat16.
    case bf16
    /// Rounded to blocks of 8-bit integers (Q8_0).
    case int8
}

/// Holds the frozen weights of models in a narrow format.
public enum FrozenWeights {
    /// Replaces the values of frozen matrices by rounded ones. Models that share a matrix share the rounded one afterwards.
    /// - Parameters:
    ///   - models: all models that hold the weights.
    ///   - format: the format.
    /// - Returns: the bytes of the replaced matrices before and after.
    /// - Throws: `RoundingError` for a number that the format cannot represent.
    @discardableResult
    public static func hold(_ models: [any TransformerDecoder], as format: FrozenFormat) throws -> (before: Int, after: Int) {
        guard format != .f32 else { return (0, 0) }
        let wanted: NumberFormat = format == .int8 ? .q8 : .bf16
        var held: [ObjectIdentifier: (old: Tensor, new: Tensor)] = [:]
        var bytes = (before: 0, after: 0)
        for model in models {
            let adapter = Set((model.adapter?.parameters ?? []).map(ObjectIdentifier.init))
            for parameter in model.parameters
            where !parameter.isTrainable && parameter.value.shape.rank == 2 && parameter.value.shape.dimensions.allSatisfy({ $0 >= 16 })
                && parameter !== model.positionParameter && !adapter.contains(ObjectIdentifier(parameter))
            {
                let (old, count) = (parameter.value, parameter.value.count)
                guard old.storage.format.byteCount(of: count) > wanted.byteCount(of: count) else { continue }
                let known = held[ObjectIdentifier(old.storage)]
                let new = try known?.new ?? Tensor(shape: old.shape, narrow: .rounding(old.storage, count: count, to: wanted))
                if known == nil {
                    held[ObjectIdentifier(old.storage)] = (old, new)
                    bytes.before += old.storage.format.byteCount(of: count)
                    bytes.after += wanted.byteCount(of: count)
                    old.storage.forget()
                }
                parameter.value = new
            }
        }
        return bytes
    }
}
