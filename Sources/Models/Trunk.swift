import Formats
import Tensor

/// The layers that two models have in common.
public enum Trunk {
    /// How many layers, from the first, and the embeddings before them, have equal weights in both models, bit for bit.
    ///
    /// Policy, reference and reward model usually start from one model and freeze its lower layers; then a token's state behind those
    /// layers is computed once for all three. Equality is established by comparison, never assumed: of the weights, and of all settings
    /// that decide what a layer makes of them (heads, norm epsilon, rotary base and so on). Where weights are equal but stored twice,
    /// `b` is given `a`'s memory.
    /// - Returns: the number of common layers, and the bytes that sharing memory has just freed.
    public static func share(_ a: any TransformerDecoder, with b: any TransformerDecoder, atMost layers: Int) -> (
        layers: Int, bytesFreed: Int
    ) {
        guard computation(of: a) == computation(of: b) else { return (0, 0) }
        var freed = 0
        guard equal(a.embeddingParameters, b.embeddingParameters, &freed) else { return (0, freed) }
        var common = 0
        for layer in 0..<min(layers, a.shape.layerCount, b.shape.layerCount) {
            guard sameAdapter(a, b, layer), equal(a.parameters(ofLayer: layer), b.parameters(ofLayer: layer), &freed) else { break }
            common += 1
        }
        if a.adapter != nil || b.adapter != nil {
            // beside adapters, a layer's own weights are still those of one base
            for layer in common..<min(a.shape.layerCount, b.shape.layerCount) {
                shareFrozen(a.parameters(ofLayer: layer), b.parameters(ofLayer: layer), &freed)
            }
        }
        // what lies above may be equal too, and then needs no memory of its own either
        _ = equal([a.projection], [b.projection], &freed)
        _ = equal([a.projectionBias].compactMap { $0 }, [b.projectionBias].compactMap { $0 }, &freed)
        return (common, freed)
    }

    /// What a model's layers compute besides their weights: its configuration without what lies above or outside of them.
    private static func computation(of model: any TransformerDecoder) -> JSONValue {
        var configuration = model.configuration()
        let above = [
            "architectures", "num_hidden_layers", "n_layer", "num_layers", "tie_word_embeddings", "initializer_range", "init_std",
            "_remove_final_layer_norm",
            // nothing is dropped where trunks are shared
            "dropout", "attention_dropout", "embd_pdrop", "attn_pdrop", "resid_pdrop", "hidden_dropout", "embed_dropout", "resid_dropout",
        ]
        for key in above { configuration[key] = nil }
        return configuration
    }

    /// Gives weights that are frozen in both models and equal one memory.
    private static func shareFrozen(_ a: [Parameter], _ b: [Parameter], _ freed: inout Int) {
        let known = Dictionary(a.filter { !$0.isTrainable }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for y in b where !y.isTrainable {
            if let x = known[y.name] { _ = equal([x], [y], &freed) }
        }
    }

    /// Whether adapters make the same of equal weights in a layer.
    private static func sameAdapter(_ a: any TransformerDecoder, _ b: any TransformerDecoder, _ layer: Int) -> Bool {
        guard let first = a.adapter, let second = b.adapter else { return true }
        let trained = Set(first.parameters.map(ObjectIdentifier.init))
        return first.configuration == second.configuration
            || !a.parameters(ofLayer: layer).contains { trained.contains(ObjectIdentifier($0)) }
    }

    private static func equal(_ a: [Parameter], _ b: [Parameter], _ freed: inout Int) -> Bool {
        guard a.count == b.count else { return false }
        for (x, y) in zip(a, b) {
            guard x.name == y.name, x.value.shape == y.value.shape else { return false }
            if x.value.sharesMemory(with: y.value) { continue }
            guard x.value.isIdentical(to: y.value) else { return false }
            freed += x.value.count * y.value.storage.format.byteCount
            y.value = x.value
        }
        return true
    }
}
