import Tensor

/// The weights of an encoder from a checkpoint, under any of the names that released checkpoints use.
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

    /// Checks that the checkpoint has no weights of another encoder, such as more layers or other parts. Heads of other tasks are
    /// allowed.
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

    /// The possible names of a weight: as saved with the encoder alone, with the prefix inside of another model, and with the
    /// names of norms in the earliest checkpoints.
    private func spellings(of name: String) -> [String] {
        var names = [name, "\(family.prefix).\(name)"]
        for (new, old) in [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")]
        where name.hasSuffix(new) {
            names += names.map { String($0.dropLast(new.count)) + old }
        }
        return names
    }
}
