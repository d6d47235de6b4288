import Tensor

/// The format in which frozen weights are held in memory.
public enum FrozenFormat: String, Sendable, CaseIterable, Codable {
    /// As the checkpoint stores them, without rounding.
    case f32
    /// bfloat16: 2 bytes per weight. Weights that are stored in 16 bits or fewer stay as they are.
    case bf16
    /// Blocks of 32 8-bit integers with a scale (ggml's Q8_0): 34 bytes per 32 weights.
    case int8
}

/// Narrower formats for weights that training does not change, which save memory.
///
/// Held weights are rounded, so a model computes slightly other numbers than before. Gradients pass through them as through any
/// other frozen weight. What is saved or exported of them, or merged with an adapter, is read again from the file that they came
/// from, so their rounding never reaches a file. Weights that were converted when they were read, or come from no file, have no
/// such original: their rounded numbers are saved. This concerns matrices that are stored in double precision, in quantised
/// blocks other than Q8_0, transposed (GPT-2) or with rows in another order (GGUF).
public enum FrozenWeights {
    /// Holds the frozen matrices of models in a format, with one memory for each matrix that several of them share.
    ///
    /// Frozen are the parameters with `isTrainable` false. Vectors, matrices with a side below 16, position embeddings and
    /// adapters stay as they are, and so do trained parameters, even if they have shared their memory with a frozen one: until
    /// the first step, the upper layers of a reference model are rounded while those of its policy are not. Call this after
    /// ``Trunk/share(_:with:atMost:)``, which compares the weights as they are stored, and before any number is computed from
    /// the models. A second call with the same format changes nothing.
    ///
    /// In bf16 precision (`Compute.Precision.bf16`), products keep a rounded copy of every weight that lies in a mapped file, and
    /// do not read the file again. ``FrozenFormat/bf16`` would change neither their numbers nor save memory, so it only applies
    /// to embeddings and to weights outside of files there.
    ///
    /// - Parameters:
    ///   - models: the models, which may share weights.
    ///   - format: the format.
    ///   - progress: called after each matrix with the number of matrices that are done and that of all.
    /// - Returns: the bytes of the frozen matrices before and after, including those that lie in mapped files.
    /// - Throws: ``ModelError/frozenWeight(name:problem:)`` for a weight that is too large for the format. Some matrices may have
    ///   been replaced then.
    @discardableResult
    public static func hold(
        _ models: [any TransformerDecoder], as format: FrozenFormat, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> (before: Int, after: Int) {
        let matrices = matrices(of: models)
        var (before, after) = (0, 0)
        for (index, matrix) in matrices.enumerated() {
            before += matrix.bytes
            if let narrow = try matrix.rounded(to: format) {
                let storage = Storage(narrow)
                for parameter in matrix.parameters { parameter.value = Tensor(shape: parameter.value.shape, storage: storage) }
            }
            after += matrix.bytes
            progress(index + 1, matrices.count)
        }
        return (before, after)
    }

    /// The frozen matrices of models, each memory once.
    private static func matrices(of models: [any TransformerDecoder]) -> [FrozenMatrix] {
        var matrices: [FrozenMatrix] = []
        var places: [ObjectIdentifier: Int] = [:]
        for model in models {
            var left = Set((model.adapter?.parameters ?? []).map(ObjectIdentifier.init))
            if let positions = model.positionParameter { left.insert(ObjectIdentifier(positions)) }
            let embeddings = Set(model.embeddingParameters.map(ObjectIdentifier.init))
            for parameter in model.parameters where !parameter.isTrainable && !left.contains(ObjectIdentifier(parameter)) {
                guard MasterWeights.holds(parameter.value.shape) else { continue }
                // the parameters keep their memory alive meanwhile, so that no other has its identifier
                let place = places[ObjectIdentifier(parameter.value.storage), default: matrices.count]
                if place == matrices.count {
                    places[ObjectIdentifier(parameter.value.storage)] = place
                    matrices.append(FrozenMatrix(parameters: []))
                }
                matrices[place].parameters.append(parameter)
                if embeddings.contains(ObjectIdentifier(parameter)) { matrices[place].isEmbedding = true }
            }
        }
        return matrices
    }
}

/// A frozen matrix and all parameters that share its memory.
private struct FrozenMatrix {
    var parameters: [Parameter]
    /// Whether its rows are looked up, so that not only products read it.
    var isEmbedding = false

    private var value: Tensor { parameters[0].value }

    /// The size of the matrix in its present format.
    var bytes: Int { value.storage.format.byteCount(of: value.count) }

    /// The matrix in another format; nil if it stays as it is.
    func rounded(to format: FrozenFormat) throws -> NarrowElements? {
        let storage = value.storage
        switch format {
        case .f32: return nil
        case .bf16:
            let isKeptByProducts = Compute.precision == .bf16 && storage.isReadableAgain && !isEmbedding
            return storage.format == .f32 && !isKeptByProducts ? try narrowed(to: .bf16) : nil
        case .int8:
            guard storage.format != .q8 || storage.narrow?.original == nil else { return nil }
            let narrow = try narrowed(to: .q8)
            // blocks of a file that are what rounding makes stay in the file
            return storage.format == .q8 && Tensor(shape: value.shape, narrow: narrow).isIdentical(to: value) ? nil : narrow
        }
    }

    private func narrowed(to format: NumberFormat) throws -> NarrowElements {
        do {
            return try NarrowElements.rounding(value.storage, count: value.count, to: format)
        } catch let error as RoundingError {
            throw ModelError.frozenWeight(name: parameters[0].name, problem: error.description)
        }
    }
}
