import Formats

/// The tokenizer classes of Transformers 5 that build their own pipeline.
///
/// They take only the vocabulary and the merges from a `tokenizer.json`; everything else comes from
/// `tokenizer_config.json` and the class itself. All other classes use the `tokenizer.json` unchanged.
enum TransformersClass: String {
    case bert = "BertTokenizer"
    case roberta = "RobertaTokenizer"
    case gpt2 = "GPT2Tokenizer"
    case llama = "LlamaTokenizer"
    case qwen2 = "Qwen2Tokenizer"
    case gptNeoX = "GPTNeoXTokenizer"
    case qwen35 = "Qwen3_5Tokenizer"
    case codeGen = "CodeGenTokenizer"
    case cohere = "CohereTokenizer"
    case codeLlama = "CodeLlamaTokenizer"
    case gemma = "GemmaTokenizer"
    case mpnet = "MPNetTokenizer"
    case t5 = "T5Tokenizer"
    case xlmRoberta = "XLMRobertaTokenizer"
    case camembert = "CamembertTokenizer"
    case albert = "AlbertTokenizer"
    case debertaV2 = "DebertaV2Tokenizer"

    /// The class with the given name (without `Fast`); nil for a class that uses the files unchanged or is unknown.
    init?(named name: String) {
        switch name {
        case "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer": self = .bert
        case "BartTokenizer", "LongformerTokenizer", "LEDTokenizer": self = .roberta
        default: self.init(rawValue: name)
        }
    }

    /// The class that `AutoTokenizer` chooses for a folder with a `tokenizer.json`; nil if it uses that file unchanged.
    ///
    /// - Parameters:
    ///   - settings: The settings in `tokenizer_config.json`.
    ///   - model: The contents of `config.json`; null if there is none.
    ///   - pipeline: The contents of `tokenizer.json`.
    static func reading(_ settings: TransformersSettings, model: JSONValue, pipeline: JSONValue) throws -> TransformersClass? {
        let named = try settings.tokenizerClass() ?? model["tokenizer_class"]?.string.map(TransformersSettings.baseName)
        let type = model["model_type"]?.string
        let isMisnamed = type.map { misnamed.contains($0) } ?? false
        let registered = type.flatMap { registry[$0] } ?? (isMisnamed ? backend : nil)
        guard let named else { return registered.flatMap { TransformersClass(named: $0) } }
        // LLaMA 3 names this class, but its tokenizer is byte-level
        if named == llama.rawValue, !isMisnamed, isByteLevel(pipeline["pre_tokenizer"]) || isByteLevel(pipeline["decoder"]) {
            return nil
        }
        if let registered, registered != named {
            return TransformersClass(named: isMisnamed ? registered : registered == backend ? backend : named)
        }
        return TransformersClass(named: named)
    }

    private static let backend = "TokenizersBackend"

    /// The model types whose folders often name a wrong class, which Transformers therefore ignores.
    private static let misnamed: Set<String> = [
        "arctic", "chatlm", "ernie4_5", "ernie4_5_moe", "fuyu", "h2ovl_chat", "hyperclovax", "hyperclovax_vlm", "hyperclovax_vision_v2",
        "internlm2", "internlm3", "iquestcoder", "jamba", "llava", "llava_next", "minicpm3", "minicpmv", "minimax_m2", "modernbert",
        "modernbert-decoder", "molmo", "molmo2", "nemotron", "nvfp4", "opencua", "openvla", "paddleocr_vl", "phi3", "phi3_v", "phimoe",
        "qwen2",
        "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text", "qwen4_exp", "step3_vl", "vipllava", "cohere_asr", "camembertv2-base", "siglip2",
        "smolvlm",
    ]

    /// The names of the classes by model type.
    static let registry: [String: String] = {
        let types: [String: [String]] = [
            "BertTokenizer": ["bert", "distilbert", "electra", "convbert", "squeezebert", "nomic_bert", "megatron-bert", "visual_bert"],
            "RobertaTokenizer": ["roberta", "bart", "longformer", "roberta-prelayernorm", "data2vec-text", "ibert"],
            "GPT2Tokenizer": [
                "gpt2", "opt", "gpt_neo", "gptj", "phi", "starcoder2", "codegen", "dbrx", "jais2", "hyperclovax_vision_v2",
            ],
            "GPTNeoXTokenizer": ["gpt_neox", "olmo", "olmoe", "mpt", "mamba", "mamba2", "falcon_mamba", "rwkv", "xlstm"],
            "Qwen2Tokenizer": [
                "qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "qwen3_next", "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "internvl",
            ],
            "Qwen3_5Tokenizer": ["qwen3_5", "qwen3_5_text", "qwen3_5_moe", "qwen3_5_moe_text", "qwen4_exp"],
            "CohereTokenizer": ["cohere", "cohere2", "aya_vision"], "CodeLlamaTokenizer": ["code_llama"],
            "GemmaTokenizer": [
                "gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text", "recurrent_gemma", "t5gemma", "shieldgemma2",
            ],
            "MPNetTokenizer": ["mpnet"], "MobileBertTokenizer": ["mobilebert"], "LEDTokenizer": ["led"],
            "T5Tokenizer": ["t5", "mt5", "switch_transformers"], "CamembertTokenizer": ["camembert"],
            "AlbertTokenizer": ["albert", "yoso"],
            "XLMRobertaTokenizer": ["xlm-roberta", "xmod", "gte", "jina_embeddings_v3"], "DebertaV2Tokenizer": ["deberta-v2"],
            backend: [
                "mistral", "mistral3", "ministral", "ministral3", "mixtral", "gpt_bigcode", "stablelm", "olmo2", "olmo3", "flex_olmo",
                "glm",
                "glm4", "glm4_moe", "granite", "granitemoe", "granitemoehybrid", "persimmon", "umt5", "xlm-roberta-xl", "nystromformer",
            ],
        ]
        return Dictionary(types.flatMap { name, types in types.map { ($0, name) } }, uniquingKeysWith: { first, _ in first })
    }()

    /// Whether a pre-tokenizer or decoder is byte-level, or contains one that is.
    private static func isByteLevel(_ part: JSONValue?) -> Bool {
        guard let part else { return false }
        if part["type"]?.string == "ByteLevel" { return true }
        return ["pretokenizers", "decoders"].contains { part[$0]?.array?.contains { isByteLevel($0) } ?? false }
    }

    /// Whether the class uses models of this kind.
    func fits(_ model: TokenModel) -> Bool {
        switch model {
        case .bpe: !isUnigram && self != .bert && self != .mpnet
        case .wordPiece: self == .bert || self == .mpnet
        case .unigram: isUnigram
        case .wordLevel: false
        }
    }

    /// Whether the class uses SentencePiece's Unigram models.
    var isUnigram: Bool {
        switch self {
        case .t5, .xlmRoberta, .camembert, .albert, .debertaV2: true
        default: false
        }
    }

    /// The default special tokens of the class that have no role. Empty if the files already list them.
    func furtherSpecialTokens(_ configuration: JSONValue) -> [String] {
        let named = configuration["additional_special_tokens"]?.unlessNull
        let listed = named?.array?.compactMap { $0.string ?? $0["content"]?.string } ?? []
        switch self {
        case .t5:
            if listed.contains(where: { $0.contains("<extra_id_") }) { return [] }
            let count = min(max(0, configuration["extra_ids"]?.integer ?? 100), 1000)
            return listed + (0..<count).map { "<extra_id_\($0)>" }
        case .codeLlama:
            let defaults = [
                ("prefix_token", "\u{2581}<PRE>"), ("middle_token", "\u{2581}<MID>"), ("suffix_token", "\u{2581}<SUF>"),
                ("eot_token", "\u{2581}<EOT>"), ("fill_token", "<FILL_ME>"),
            ]
            return listed + defaults.compactMap { key, token in configuration[key].map { $0.string ?? $0["content"]?.string } ?? token }
        case .camembert: return named == nil ? ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"] : []
        default: return []
        }
    }

    /// The default special tokens of the class by role, for roles that the files do not mention.
    var defaults: [(role: TransformersSettings.Role, token: String)] {
        switch self {
        case .bert:
            [(.unknown, "[UNK]"), (.separator, "[SEP]"), (.padding, "[PAD]"), (.classification, "[CLS]"), (.mask, "[MASK]")]
        case .roberta, .xlmRoberta, .camembert:
            [
                (.begin, "<s>"), (.end, "</s>"), (.separator, "</s>"), (.classification, "<s>"), (.unknown, "<unk>"),
                (.padding, "<pad>"), (.mask, "<mask>"),
            ]
        case .gpt2, .codeGen: [(.begin, "<|endoftext|>"), (.end, "<|endoftext|>"), (.unknown, "<|endoftext|>")]
        case .llama, .codeLlama: [(.begin, "<s>"), (.end, "</s>"), (.unknown, "<unk>")]
        case .qwen2, .qwen35: [(.end, "<|endoftext|>"), (.unknown, "<|endoftext|>"), (.padding, "<|endoftext|>")]
        case .gptNeoX:
            [(.begin, "<|endoftext|>"), (.end, "<|endoftext|>"), (.unknown, "<|endoftext|>"), (.padding, "<|padding|>")]
        case .gemma: [(.begin, "<bos>"), (.end, "<eos>"), (.unknown, "<unk>"), (.padding, "<pad>"), (.mask, "<mask>")]
        case .cohere:
            [
                (.begin, "<BOS_TOKEN>"), (.end, "<|END_OF_TURN_TOKEN|>"), (.unknown, "<UNK>"), (.padding, "<PAD>"),
                (.classification, "<CLS>"), (.separator, "<SEP>"), (.mask, "<MASK_TOKEN>"),
            ]
        case .mpnet:
            [
                (.begin, "<s>"), (.end, "</s>"), (.separator, "</s>"), (.classification, "<s>"), (.unknown, "[UNK]"), (.padding, "<pad>"),
                (.mask, "<mask>"),
            ]
        case .t5: [(.end, "</s>"), (.unknown, "<unk>"), (.padding, "<pad>")]
        case .albert:
            [
                (.begin, "[CLS]"), (.end, "[SEP]"), (.unknown, "<unk>"), (.separator, "[SEP]"), (.padding, "<pad>"),
                (.classification, "[CLS]"), (.mask, "[MASK]"),
            ]
        case .debertaV2:
            [
                (.begin, "[CLS]"), (.end, "[SEP]"), (.unknown, "[UNK]"), (.separator, "[SEP]"), (.padding, "[PAD]"),
                (.classification, "[CLS]"), (.mask, "[MASK]"),
            ]
        }
    }
}
