import Formats

/// A family of decoders: what a `model_type` of config.json stands for.
///
/// One of your own is a value of this type that you pass to ``LanguageModel/load(_:base:usesTanh:families:note:)``. Most are put together from the common
/// pieces: ``ModelFamily/init(_:architecture:classifier:plan:)`` with ``SelfAttention``, ``FeedForward``, ``DecoderLayer`` and ``Norm``; ``ModelFamily/qwen3``
/// is an example. What does not fit them is a ``TransformerDecoder`` of its own, such as ``OPT``.
public struct ModelFamily: Sendable {
    /// Makes a decoder from a configuration, with weights of a checkpoint or fresh ones.
    public typealias Builder = @Sendable (ConfigurationReader, any WeightSource) throws -> any TransformerDecoder

    /// The `model_type` of its config.json.
    public let modelType: String
    /// Makes a decoder of it.
    public let build: Builder
    /// The key of config.json under which a model of several parts has the decoder's configuration; nil where the whole file is that.
    var section: String?

    /// A family.
    public init(_ modelType: String, build: @escaping Builder) {
        self.modelType = modelType
        self.build = build
    }

    /// A family of models that read more than text, of which the decoder is used: a family of its own, described by `text_config`.
    public init(_ modelType: String, textOf text: ModelFamily) {
        self.init(modelType, build: text.build)
        section = "text_config"
    }

    /// LLaMA.
    public static let llama = ModelFamily("llama") { try Llama(LlamaConfiguration(reading: $0), weights: $1) }
    /// OPT.
    public static let opt = ModelFamily("opt") { try OPT(OPTConfiguration(reading: $0), weights: $1) }
    /// GPT-2.
    public static let gpt2 = ModelFamily("gpt2") { try GPT2(GPT2Configuration(reading: $0), weights: $1) }
    /// The families that come with the library.
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

    /// Builds the decoder that a configuration describes; of two families of one type the later one counts.
    /// - Throws: ``ModelError/unknownFamily(_:known:)``, what the configuration lacks, what the weights lack.
    package func build(_ configuration: ConfigurationReader, weights: any WeightSource) throws -> any TransformerDecoder {
        try family(of: configuration).build(configuration, weights)
    }

    /// The configuration of the decoder in a config.json: the file's object, or the section that describes the decoder of a model of several parts.
    /// - Throws: as ``build(_:weights:)``.
    func decoderConfiguration(of file: JSONValue) throws -> JSONValue {
        let reader = ConfigurationReader(file)
        guard let section = try family(of: reader).section else { return file }
        guard var text = try reader.section(section)?.object else {
            throw ModelError.configuration(key: section, problem: "is missing; it describes the decoder")
        }
        // the whole model's special tokens and type of numbers are those of the decoder
        for key in ["bos_token_id", "eos_token_id", "pad_token_id", "dtype", "torch_dtype"]
        where text[key] == nil || text[key]?.isNull == true {
            text[key] = file[key]
        }
        return text
    }
}
