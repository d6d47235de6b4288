import Formats
import Tensor

/// Detection of the lower layers that two models have in common.
public enum Trunk {
    /// The number of layers, from the first, that are identical in both models, including the embeddings below them.
    ///
    /// Policy, reference and reward model usually start from the same model with frozen lower layers. The output of those layers
    /// is then computed once for all three. Equality is always checked, never assumed: weights must agree bit for bit, as must
    /// all settings that affect a layer (heads, norm epsilon, rotary base and so on). Where weights are equal but stored twice,
    /// both models share one memory afterwards: the narrower one where one of them is stored in bfloat16, otherwise that of `a`.
    /// - Parameters:
    ///   - a: the model whose memory is kept where both take as much.
    ///   - b: the model that is compared with it.
    ///   - layers: the maximum number of layers to compare.
    /// - Returns: the number of common layers, and the number of bytes that sharing has freed.
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
            // both models with adapters may still share the frozen weights of one base
            for layer in common..<min(a.shape.layerCount, b.shape.layerCount) {
                shareFrozen(a.parameters(ofLayer: layer), b.parameters(ofLayer: layer), &freed)
            }
        }
        // the output projection may be equal as well, and can then share memory
        _ = equal([a.projection], [b.projection], &freed)
        _ = equal([a.projectionBias].compactMap { $0 }, [b.projectionBias].compactMap { $0 }, &freed)
        return (common, freed)
    }

    /// What determines the computation of a model's layers besides the weights: the configuration without keys that do not affect
    /// them.
    private static func computation(of model: any TransformerDecoder) -> JSONValue {
        var configuration = model.configuration()
        let above = [
            "architectures", "num_hidden_layers", "n_layer", "num_layers", "tie_word_embeddings", "initializer_range", "init_std",
            "_remove_final_layer_norm",
            // shared layers run without dropout
            "dropout", "attention_dropout", "embd_pdrop", "attn_pdrop", "resid_pdrop", "hidden_dropout", "embed_dropout", "resid_dropout",
        ]
        for key in above { configuration[key] = nil }
        return configuration
    }

    /// Lets weights that are frozen and equal in both models share memory.
    private static func shareFrozen(_ a: [Parameter], _ b: [Parameter], _ freed: inout Int) {
        let known = Dictionary(a.filter { !$0.isTrainable }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for y in b where !y.isTrainable {
            if let x = known[y.name] { _ = equal([x], [y], &freed) }
        }
    }

    /// Whether the adapters of both models compute the same in a layer, given equal weights.
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
            // pages of mapped files that only the comparison reads would stay in memory
            let compared = [x.value.storage, y.value.storage]
            defer { compared.forEach { $0.forget() } }
            guard x.value.isIdentical(to: y.value) else { return false }
            let (bytes, others) = (x.value.storage.format.byteCount(of: x.value.count), y.value.storage.format.byteCount(of: y.value.count))
            freed += max(bytes, others)
            if others < bytes { x.value = y.value } else { y.value = x.value }
        }
        return true
    }
}
