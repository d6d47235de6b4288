public import Tensor

/// The format in which trained weights are kept between steps.
public enum MasterFormat: String, Sendable, CaseIterable, Codable {
    /// 32-bit floats.
    case f32
    /// bfloat16: 2 bytes per weight. Each step of the optimiser rounds the changed weights stochastically.
    case bf16
}

/// Trained weights in a narrower format, which saves memory.
///
/// With ``MasterFormat/bf16``, an optimiser widens a matrix, changes it, and rounds the result to one of the two nearest numbers at
/// random (Gupta et al. 2015). On average a weight changes by the whole step, which rounding to the nearest number would lose: most
/// steps are smaller than half the distance between two numbers of 8 significant bits. A checkpoint holds the weights exactly.
public enum MasterWeights {
    /// Whether a parameter of a shape is held in a narrower format, trained or frozen: matrices without a side below 16, as in products
    /// that round weights. Vectors, such as biases and the weights of norms, take next to no memory.
    package static func holds(_ shape: Shape) -> Bool {
        shape.rank == 2 && shape[0] >= ProductTable.leastRounded && shape[1] >= ProductTable.leastRounded
    }

    /// Holds the trained matrices of a model in a format, except those of an adapter. Weights are first rounded to the nearest number;
    /// what is saved of them from then on are the rounded ones.
    ///
    /// Call this after ``Trunk/share(_:with:atMost:)``, which compares the weights as they are stored, and before any number is
    /// computed from the model. A second call with the same format changes nothing.
    /// - Parameters:
    ///   - model: the model.
    ///   - others: frozen parameters that are rounded to the nearest number in the same way: those of a reference model, so that its
    ///     KL from the untrained model is 0.
    ///   - format: the format.
    /// - Returns: the bytes of the trained matrices as floats, and in the format.
    /// - Throws: ``ModelError/masterWeight(name:problem:)`` for a weight that is too large for the format. Some matrices may have
    ///   been replaced then.
    @discardableResult
    public static func hold(
        _ model: any TransformerDecoder, others: [Parameter] = [], as format: MasterFormat
    ) throws -> (before: Int, after: Int) {
        guard format == .bf16 else { return (0, 0) }
        var (before, after) = (0, 0)
        let adapter = Set((model.adapter?.parameters ?? []).map(ObjectIdentifier.init))
        for parameter in model.parameters where parameter.isTrainable && !adapter.contains(ObjectIdentifier(parameter)) {
            guard holds(parameter.value.shape) else { continue }
            if parameter.masterFormat != .bf16 { try round(parameter, keepsOriginal: false) }
            parameter.masterFormat = .bf16
            before += NumberFormat.f32.byteCount(of: parameter.value.count)
            after += NumberFormat.bf16.byteCount(of: parameter.value.count)
        }
        for parameter in others where holds(parameter.value.shape) && parameter.value.storage.format != .bf16 {
            try round(parameter, keepsOriginal: true)
        }
        return (before, after)
    }

    private static func round(_ parameter: Parameter, keepsOriginal: Bool) throws {
        let value = parameter.value
        do {
            parameter.value = Tensor(
                shape: value.shape,
                narrow: try .rounding(value.storage, count: value.count, to: .bf16, keepsOriginal: keepsOriginal))
        } catch let error as RoundingError {
            throw ModelError.masterWeight(name: parameter.name, problem: error.description)
        }
    }
}
