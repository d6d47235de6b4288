import Tensor

/// The weights of a model from a checkpoint, under the names that released checkpoints have given them.
final class StoredWeights: WeightSource {
    private let store: WeightStore
    private let projects: Bool
    private var used: Set<String> = []
    /// What was asked for first: in every family the token embedding, which has the shape of the projection.
    private var embedding: Parameter?
    /// Whether the output projection was missing and is random.
    private(set) var madeProjection = false

    /// - Parameter projects: whether the output projection will be used. Otherwise one that is missing is not made: the embedding lies
    ///   in its place and takes no memory of its own.
    init(_ store: WeightStore, projects: Bool = true) {
        self.store = store
        self.projects = projects
    }

    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) throws -> Parameter {
        if Self.projections.contains(name), !store.contains(name) {
            // reward models and base models are saved without one
            if !projects, let embedding, embedding.value.shape == shape { return Parameter(name, embedding.value) }
            madeProjection = true
            return RandomWeights(generator: Philox(seed: 0)).parameter(
                name, shape, fresh: fresh, transposed: transposed)
        }
        // so is the bias of a projection that is not there
        if name == Self.projectionBias, !store.contains(name), !Self.projections.contains(where: store.contains) {
            return Parameter(name, .zeros(shape))
        }
        let stored = Self.spellings(of: name).first(where: store.contains) ?? name
        used.insert(stored)
        let parameter = try store.parameter(name, shape, transposed: transposed, storedAs: stored)
        if embedding == nil { embedding = parameter }
        return parameter
    }

    /// Throws if the checkpoint holds weights that the model has no use for.
    /// - Parameter isTied: whether the model's projection is its embedding, so that a stored one is a copy.
    /// - Throws: `CheckpointError.surplusTensor`.
    func checkSurplus(isTied: Bool) throws {
        let known = used.union(ValueHead.names).union([ValueHead.classifierName]).union(Self.foreign)
            .union(isTied ? Self.projections : [])
            .union(otherParts)
        try store.checkSurplus(
            expected: known.union(store.names.filter { name in Self.derived.contains { name.hasSuffix($0) } }))
    }

    /// The weights of the checkpoint that belong to another program's head and are not read.
    var unread: [String] { Self.foreign.filter(store.contains) }

    /// The weights of the parts of a model that do not read text.
    var otherParts: [String] {
        store.names.filter { name in Self.otherPrefixes.contains { name.hasPrefix($0) } }
    }

    /// What families call their output projection.
    private static let projections: Set = ["lm_head.weight", "embed_out.weight"]

    private static let projectionBias = "lm_head.bias"

    /// The parts of models that read pictures, too.
    private static let otherPrefixes = [
        "vision_tower.", "model.vision_tower.", "multi_modal_projector.", "model.multi_modal_projector.",
    ]

    /// The value head that TRL puts on a policy. Its values are no scores of ours.
    private static let foreign = ["v_head.summary.weight", "v_head.summary.bias"]

    /// What older checkpoints carry and no model needs: the causal masks of GPT-2 and its relatives, rotary frequencies, the version of OPT's converter.
    private static let derived = [
        ".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq", "decoder.version",
    ]

    /// How a weight may be called: with the causal model's prefix, as the base model alone was saved (the released GPT-2 is), or as the language
    /// half of a larger model.
    private static func spellings(of name: String) -> [String] {
        for prefix in ["model.", "transformer.", "gpt_neox."] where name.hasPrefix(prefix) {
            let bare = name.dropFirst(prefix.count)
            return [name, String(bare)] + (prefix == "model." ? ["model.language_model.\(bare)", "language_model.model.\(bare)"] : [])
        }
        return [name]
    }
}
