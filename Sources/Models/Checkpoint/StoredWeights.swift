import Tensor

/// The weights of a model from a checkpoint, under any of the names that released checkpoints use.
final class StoredWeights: WeightSource {
    private let store: WeightStore
    private let projects: Bool
    private let keepsPacking: Bool
    private var used: Set<String> = []
    /// The first parameter that was read: in every family the token embedding, which has the shape of the projection.
    private var embedding: Parameter?
    /// Whether the output projection was missing and has been randomly initialised.
    private(set) var madeProjection = false

    /// Creates a source of weights.
    /// - Parameters:
    ///   - store: the stored weights.
    ///   - projects: whether the output projection will be used. If not, a missing one is not initialised; the embedding takes its
    ///     place without additional memory.
    ///   - keepsPacking: whether products in bf16 precision keep packed copies of matrices in Q8_0 blocks.
    init(_ store: WeightStore, projects: Bool = true, keepsPacking: Bool = false) {
        self.store = store
        self.projects = projects
        self.keepsPacking = keepsPacking
    }

    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) throws -> Parameter {
        if Self.projections.contains(name), !store.contains(name) {
            // reward models and base models are saved without output projection
            if !projects, let embedding, embedding.value.shape == shape { return Parameter(name, embedding.value) }
            madeProjection = true
            return RandomWeights(generator: Philox(seed: 0)).parameter(
                name, shape, fresh: fresh, transposed: transposed)
        }
        // and without its bias
        if name == Self.projectionBias, !store.contains(name), !Self.projections.contains(where: store.contains) {
            return Parameter(name, .zeros(shape))
        }
        let stored = Self.spellings(of: name).first(where: store.contains) ?? name
        used.insert(stored)
        let parameter = try store.parameter(name, shape, transposed: transposed, storedAs: stored, keepsPacking: keepsPacking)
        if embedding == nil { embedding = parameter }
        return parameter
    }

    /// Checks that the checkpoint has no weights that the model does not use.
    /// - Parameter isTied: whether the model's projection is its embedding, so that a stored one is only a copy.
    /// - Throws: `CheckpointError.surplusTensor`.
    func checkSurplus(isTied: Bool) throws {
        let known = used.union(ValueHead.names).union([ValueHead.classifierName]).union(Self.foreign)
            .union(isTied ? Self.projections : [])
            .union(otherParts)
        try store.checkSurplus(
            expected: known.union(store.names.filter { name in Self.derived.contains { name.hasSuffix($0) } }))
    }

    /// The weights of another program's value head in the checkpoint, which are not read.
    var unread: [String] { Self.foreign.filter(store.contains) }

    /// The weights of those parts of a multimodal model that do not process text.
    var otherParts: [String] {
        store.names.filter { name in Self.otherPrefixes.contains { name.hasPrefix($0) } }
    }

    /// The names of the output projection in all families.
    private static let projections: Set = ["lm_head.weight", "embed_out.weight"]

    private static let projectionBias = "lm_head.bias"

    /// The prefixes of those parts of multimodal models that process images.
    private static let otherPrefixes = [
        "vision_tower.", "model.vision_tower.", "multi_modal_projector.", "model.multi_modal_projector.",
    ]

    /// The value head that TRL adds to a policy. Its values are not scores of this package's heads.
    private static let foreign = ["v_head.summary.weight", "v_head.summary.bias"]

    /// The suffixes of redundant tensors in older checkpoints: the causal masks of GPT-2 and related models, rotary frequencies,
    /// and the version of OPT's converter.
    private static let derived = [
        ".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq", "decoder.version",
    ]

    /// The possible names of a weight: with the prefix of the causal model, without it (as in the released GPT-2, saved as a base
    /// model), or as the language part of a multimodal model.
    private static func spellings(of name: String) -> [String] {
        for prefix in ["model.", "transformer.", "gpt_neox."] where name.hasPrefix(prefix) {
            let bare = name.dropFirst(prefix.count)
            return [name, String(bare)] + (prefix == "model." ? ["model.language_model.\(bare)", "language_model.model.\(bare)"] : [])
        }
        return [name]
    }
}
