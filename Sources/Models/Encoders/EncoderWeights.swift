import Tensor

/// The weights of an encoder from a checkpoint, under the names that released checkpoints have given them.
final class EncoderWeights: WeightSource {
    private let store: WeightStore
    private let family: EncoderFamily
    private var used: Set<String> = []

    init(_ store: WeightStore, family: EncoderFamily) {
        self.store = store
        self.family = family
    }

    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) throws -> Parameter {
        let stored = spellings(of: name).first(where: store.contains) ?? name
        used.insert(stored)
        return try store.parameter(name, shape, transposed: transposed, storedAs: stored)
    }

    /// Throws if the checkpoint holds weights of an encoder that is not the one that was built: more layers, other parts. Heads for
    /// other tasks may stand beside it.
    /// - Throws: `CheckpointError.surplusTensor`.
    func checkSurplus() throws {
        let others = ["cls", "lm_head", "pooler", "classifier", "qa_outputs"] + family.otherHeads
        let heads = others.flatMap { ["\($0).", "\(family.prefix).\($0)."] }
        try store.checkSurplus(
            expected: used.union(
                store.names.filter { name in
                    name.hasSuffix("embeddings.position_ids") || name.hasSuffix("embeddings.token_type_ids")
                        || heads.contains { name.hasPrefix($0) }
                }))
    }

    /// How a weight may be called: as the encoder alone was saved, or with the prefix that it has inside another model; and norms
    /// as the first checkpoints have them.
    private func spellings(of name: String) -> [String] {
        var names = [name, "\(family.prefix).\(name)"]
        for (new, old) in [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")]
        where name.hasSuffix(new) {
            names += names.map { String($0.dropLast(new.count)) + old }
        }
        return names
    }
}
