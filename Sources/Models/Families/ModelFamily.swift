import Formats

/// A family of decoders, identified by the `model_type` in config.json.
///
/// To add a family, create a value of this type and pass it to
/// ``LanguageModel/load(_:base:usesTanh:families:keepsPacking:note:)``. Most families are composed of standard parts: use
/// ``ModelFamily/init(_:architecture:classifier:plan:)`` with ``SelfAttention``, ``FeedForward``, ``DecoderLayer`` and ``Norm``, as
/// in ``ModelFamily/qwen3``. A family that they do not suit needs its own ``TransformerDecoder``.
public struct ModelFamily: Sendable {
    /// A function that creates a decoder from a configuration and the weights of a checkpoint or random initialisation.
    public typealias Builder = @Sendable (ConfigurationReader, any WeightSource) throws -> any TransformerDecoder

    /// The `model_type` in config.json.
    public let modelType: String
    /// Creates a decoder of this family.
    public let build: Builder
    /// The key in config.json of the decoder's configuration, for multimodal models; nil if the whole file is the decoder's
    /// configuration.
    var section: String?

    /// Creates a family from its model type and a function that creates decoders.
    public init(_ modelType: String, build: @escaping Builder) {
        self.modelType = modelType
        self.build = build
    }

    /// Creates a family of multimodal models, of which only the text decoder is used; `text_config` in config.json describes it.
    /// - Parameters:
    ///   - modelType: the `model_type` of the whole model.
    ///   - text: the family of the text decoder.
    public init(_ modelType: String, textOf text: ModelFamily) {
        self.init(modelType, build: text.build)
        section = "text_config"
    }

    /// LLaMA (Touvron et al. 2023).
    public static let llama = ModelFamily("llama") { try Llama(LlamaConfiguration(reading: $0), weights: $1) }
    /// OPT (Zhang et al. 2022).
    public static let opt = ModelFamily("opt") { try OPT(OPTConfiguration(reading: $0), weights: $1) }
    /// GPT-2 (Radford et al. 2019).
    public static let gpt2 = ModelFamily("gpt2") { try GPT2(GPT2Configuration(reading: $0), weights: $1) }
    /// The families that the library includes.
    public static let builtIn = [
        llama, qwen2, qwen3, mistral, gemma2, gemma3Text, gemma3, gptNeoX, phi, phi3, olmo2, smolLM3, stableLM, opt, gpt2, gptNeo, gptJ,
        bloom,
    ]
}

extension [ModelFamily] {
    private func family(of configuration: ConfigurationReader) throws -> ModelFamily {
        let type = try configuration.string("model_type")
        guard let family = last(where: { $0.modelType == type }) else {
            throw ModelError.unknownFamily(type, known: Set(map(\.modelType)).sorted())
        }
        return family
    }

    /// Creates the decoder that a configuration describes. If several families have its type, the last one applies.
    /// - Throws: ``ModelError/unknownFamily(_:known:)`` for an unknown type; errors in the configuration or the weights.
    package func build(_ configuration: ConfigurationReader, weights: any WeightSource) throws -> any TransformerDecoder {
        try family(of: configuration).build(configuration, weights)
    }

    /// The configuration of the decoder in a config.json: the whole file, or the section that describes the decoder of a
    /// multimodal model.
    /// - Throws: ``ModelError/unknownFamily(_:known:)`` for an unknown type; ``ModelError/configuration(key:problem:)`` if the
    ///   section is missing.
    func decoderConfiguration(of file: JSONValue) throws -> JSONValue {
        let reader = ConfigurationReader(file)
        guard let section = try family(of: reader).section else { return file }
        guard var text = try reader.section(section)?.object else {
            throw ModelError.configuration(key: section, problem: "is missing; it must describe the decoder")
        }
        // the special tokens and the number format of the whole model also apply to the decoder
        for key in ["bos_token_id", "eos_token_id", "pad_token_id", "dtype", "torch_dtype"]
        where text[key] == nil || text[key]?.isNull == true {
            text[key] = file[key]
        }
        return text
    }
}
