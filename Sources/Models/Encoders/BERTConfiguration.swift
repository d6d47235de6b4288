/// The configuration of a BERT-like encoder, with the names of Hugging Face's config.json in ``init(reading:)``.
public struct BERTConfiguration: Sendable, Equatable {
    /// The encoders that differ only in how positions are counted and what their classifier looks like.
    public enum Family: String, Sendable, CaseIterable {
        /// BERT (Devlin et al. 2019), and what was distilled into its form, such as MiniLM (Wang et al. 2020).
        case bert
        /// RoBERTa (Liu et al. 2019): positions begin behind the padding token's id.
        case roberta
    }

    /// Which of the encoders it is.
    public var family: Family
    /// Rows of the token embedding: the ids that the model knows.
    public var vocabularySize: Int
    /// The width of the hidden states.
    public var hiddenSize: Int
    /// The width inside of the MLPs.
    public var feedForwardSize: Int
    /// How many layers there are.
    public var layerCount: Int
    /// Attention heads.
    public var heads: Int
    /// Rows of the table of positions.
    public var positionCount: Int
    /// Rows of the table of token types.
    public var typeCount: Int
    /// What the norms add to the variance.
    public var normEpsilon: Double
    /// The function inside of the MLPs.
    public var activation: Activation
    /// The id of the padding token; RoBERTa counts positions from the one behind it.
    public var paddingToken: Int

    /// A configuration; what is left out has the value of BERT.
    public init(
        family: Family, vocabularySize: Int, hiddenSize: Int, feedForwardSize: Int, layerCount: Int, heads: Int,
        positionCount: Int = 512, typeCount: Int = 2, normEpsilon: Double = 1e-12, activation: Activation = .gelu,
        paddingToken: Int = 0
    ) {
        self.family = family
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.feedForwardSize = feedForwardSize
        self.layerCount = layerCount
        self.heads = heads
        self.positionCount = positionCount
        self.typeCount = typeCount
        self.normEpsilon = normEpsilon
        self.activation = activation
        self.paddingToken = paddingToken
    }

    /// The row of the first token in the table of positions.
    var firstPosition: Int { family == .roberta ? paddingToken + 1 : 0 }

    /// The most tokens of a sequence.
    public var contextLength: Int { positionCount - firstPosition }

    /// Reads a config.json of model_type bert or roberta.
    /// - Throws: ``ModelError`` for what is missing, impossible or not supported.
    public init(reading file: ConfigurationReader) throws {
        let type = try file.string("model_type")
        guard let family = Family(rawValue: type) else {
            throw ModelError.unknownFamily(type, known: Family.allCases.map(\.rawValue))
        }
        for key in ["is_decoder", "add_cross_attention"] where try file.flag(key, or: false) {
            throw ModelError.unsupported("\(key) in an encoder")
        }
        let positions = try file.optionalString("position_embedding_type") ?? "absolute"
        guard positions == "absolute" else {
            throw ModelError.unsupported("position_embedding_type '\(positions)'; known is absolute")
        }
        let hidden = try file.count("hidden_size")
        let heads = try file.count("num_attention_heads")
        guard hidden % heads == 0 else {
            throw ModelError.configuration(
                key: "num_attention_heads", problem: "(\(heads)) must divide hidden_size (\(hidden))")
        }
        let padding = try file.optionalInteger("pad_token_id") ?? (family == .roberta ? 1 : 0)
        let positionCount = try file.optionalCount("max_position_embeddings") ?? 512
        guard family == .bert || (0..<positionCount - 1).contains(padding) else {
            throw ModelError.configuration(
                key: "pad_token_id", problem: "(\(padding)) leaves no room for a token in \(positionCount) positions")
        }
        self.init(
            family: family, vocabularySize: try file.count("vocab_size"), hiddenSize: hidden,
            feedForwardSize: try file.count("intermediate_size"), layerCount: try file.layerCount("num_hidden_layers"),
            heads: heads, positionCount: positionCount, typeCount: try file.optionalCount("type_vocab_size") ?? 2,
            normEpsilon: try file.positiveNumber("layer_norm_eps") ?? 1e-12,
            activation: try Activation(reading: "hidden_act", of: file, or: .gelu), paddingToken: padding)
    }
}
