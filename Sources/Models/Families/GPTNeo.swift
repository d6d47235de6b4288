import Formats

extension ModelFamily {
    /// GPT-Neo (Black et al. 2021): GPT-2 without scaling of scores, and with a sliding window in layers that `attention_types`
    /// calls local.
    public static let gptNeo = ModelFamily("gpt_neo", architecture: "GPTNeoForCausalLM", classifier: "GPTNeoForSequenceClassification") {
        file in
        let (vocabulary, hidden) = (try file.count("vocab_size"), try file.count("hidden_size"))
        let (layerCount, headCount) = (
            try file.layerCount("num_layers", or: "num_hidden_layers"), try file.count("num_heads", or: "num_attention_heads")
        )
        guard hidden % headCount == 0 else {
            throw ModelError.configuration(key: "num_heads", problem: "(\(headCount)) must divide hidden_size (\(hidden))")
        }
        let heads = SelfAttention.Heads(headCount, dim: hidden / headCount)
        let inner = try file.optionalCount("intermediate_size") ?? 4 * hidden
        let context = try file.optionalCount("max_position_embeddings") ?? 2048
        let window = try file.optionalCount("window_size") ?? 256
        let isLocal = try localLayers(file, count: layerCount)
        let epsilon = try file.positiveNumber("layer_norm_epsilon") ?? 1e-5
        let activation = try Activation(reading: "activation_function", of: file, or: .geluNew)
        let isTied = try file.flag("tie_word_embeddings", or: true)
        let dropout = DropoutRates(
            embedding: try file.dropoutRate("embed_dropout", or: 0), attention: try file.dropoutRate("attention_dropout", or: 0),
            residual: try file.dropoutRate("resid_dropout", or: 0))
        let shape = DecoderShape(
            hiddenSize: hidden, layerCount: layerCount, heads: headCount, keyHeads: headCount, headDim: heads.dim,
            vocabularySize: vocabulary,
            contextLength: context, headWidth: hidden)
        return DecoderPlan(shape, dropout: dropout) { weights in
            let (all, model) = (WeightScope(weights), WeightScope(weights, "transformer"))
            let tokens = try model.weight("wte", [vocabulary, hidden])
            let positions = try model.weight("wpe", [context, hidden])
            let layers = try (0..<layerCount).map { index in
                let layer = model.below("h.\(index)")
                let attention = layer.below("attn.attention")
                return DecoderLayer(
                    .normsBefore(
                        attention: try layer.norm(.layer, "ln_1", width: hidden, epsilon: epsilon),
                        feedForward: try layer.norm(.layer, "ln_2", width: hidden, epsilon: epsilon)),
                    SelfAttention(
                        .separate(
                            query: try attention.projection("q_proj", hidden, hidden),
                            key: try attention.projection("k_proj", hidden, hidden),
                            value: try attention.projection("v_proj", hidden, hidden)),
                        output: try attention.projection("out_proj", hidden, hidden, bias: true), heads: heads,
                        scores: .init(scale: 1, window: isLocal[index] ? window : nil)),
                    .plain(
                        up: try layer.projection("mlp.c_fc", inner, hidden, bias: true),
                        down: try layer.projection("mlp.c_proj", hidden, inner, bias: true), activation))
            }
            return StackedDecoder.Parts(
                embedding: .init(tokens: tokens, positions: positions), layers: layers,
                norm: try model.norm(.layer, "ln_f", width: hidden, epsilon: epsilon),
                output: .init(weight: isTied ? tokens : try all.weight("lm_head", [vocabulary, hidden])))
        }
    }

    /// Which layers are local, according to `attention_types`, a list of [[kinds], repetitions].
    private static func localLayers(_ file: ConfigurationReader, count: Int) throws -> [Bool] {
        let key = "attention_types"
        guard let groups = try file.optionalList(key) else {
            throw ModelError.configuration(key: key, problem: "is missing")
        }
        var kinds: [Bool] = []
        for group in groups {
            guard let pair = group.array, pair.count == 2, let names = pair[0].array?.compactMap(\.string),
                names.count == pair[0].array?.count,
                names.allSatisfy({ ["global", "local"].contains($0) }), let times = pair[1].int, (0...count).contains(times)
            else {
                throw ModelError.configuration(key: key, problem: "must be a list of [[\"global\" or \"local\", …], number of repetitions]")
            }
            for _ in 0..<times { kinds += names.map { $0 == "local" } }
        }
        guard kinds.count == count else {
            throw ModelError.configuration(key: key, problem: "describes \(Counted(kinds.count, "layer")), but num_layers is \(count)")
        }
        return kinds
    }
}
