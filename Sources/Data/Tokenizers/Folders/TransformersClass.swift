import Formats

/// The tokenizer classes of Transformers 5 that put their pipeline together themselves.
///
/// They take vocabulary and merges of a tokenizer.json, and everything else from tokenizer_config.json and from what they are. All other
/// classes use a tokenizer.json as it is.
enum TransformersClass: String {
    case bert = "BertTokenizer"
    case roberta = "RobertaTokenizer"
    case gpt2 = "GPT2Tokenizer"
    case llama = "LlamaTokenizer"
    case qwen2 = "Qwen2Tokenizer"
    case gptNeoX = "GPTNeoXTokenizer"

    /// The class of a name without `Fast`; nil if it takes files at their word, or is not known here.
    init?(named name: String) {
        switch name {
        case "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer": self = .bert
        case "BartTokenizer", "LongformerTokenizer", "LEDTokenizer": self = .roberta
        default: self.init(rawValue: name)
        }
    }

    /// The class as which `AutoTokenizer` reads a folder with a tokenizer.json; nil if it takes that file at its word.
    ///
    /// - Parameters:
    ///   - settings: tokenizer_config.json.
    ///   - model: config.json; null if there is none.
    ///   - pipeline: tokenizer.json.
    static func reading(_ settings: TransformersSettings, model: JSONValue, pipeline: JSONValue) throws -> TransformersClass? {
        let named = try settings.tokenizerClass() ?? model["tokenizer_class"]?.string.map(TransformersSettings.baseName)
        let type = model["model_type"]?.string
        let registered = type.flatMap { registry[$0] }
        let isMisnamed = type.map { misnamed.contains($0) } ?? false
        guard let named else { return registered.flatMap { TransformersClass(named: $0) } }
        // LLaMA 3 calls itself so, and is nothing of the kind
        if named == llama.rawValue, !isMisnamed, isByteLevel(pipeline["pre_tokenizer"]) || isByteLevel(pipeline["decoder"]) {
            return nil
        }
        if let registered, registered != named {
            return TransformersClass(named: isMisnamed ? registered : registered == backend ? backend : named)
        }
        return TransformersClass(named: named)
    }

    private static let backend = "TokenizersBackend"

    /// Model types whose folders name a wrong class often enough for Transformers to ignore it.
    private static let misnamed: Set<String> = ["qwen2"]

    /// The classes by model type.
    private static let registry = [
        "bert": "BertTokenizer", "distilbert": "BertTokenizer", "electra": "BertTokenizer", "roberta": "RobertaTokenizer",
        "bart": "RobertaTokenizer", "longformer": "RobertaTokenizer", "gpt2": "GPT2Tokenizer", "opt": "GPT2Tokenizer",
        "gpt_neo": "GPT2Tokenizer", "gptj": "GPT2Tokenizer", "phi": "GPT2Tokenizer", "starcoder2": "GPT2Tokenizer",
        "gpt_neox": "GPTNeoXTokenizer", "qwen2": "Qwen2Tokenizer", "qwen3": "Qwen2Tokenizer", "mistral": backend,
        "mixtral": backend, "gpt_bigcode": backend, "stablelm": backend, "modernbert": backend,
    ]

    private static func isByteLevel(_ part: JSONValue?) -> Bool {
        guard let part else { return false }
        if part["type"]?.string == "ByteLevel" { return true }
        return ["pretokenizers", "decoders"].contains { part[$0]?.array?.contains { isByteLevel($0) } ?? false }
    }

    /// Whether the class has models of this kind.
    func fits(_ model: TokenModel) -> Bool {
        switch model {
        case .bpe: self != .bert
        case .wordPiece: self == .bert
        case .unigram, .wordLevel: false
        }
    }

    /// The tokens of roles that the files say nothing of.
    var defaults: [(role: TransformersSettings.Role, token: String)] {
        switch self {
        case .bert:
            [(.unknown, "[UNK]"), (.separator, "[SEP]"), (.padding, "[PAD]"), (.classification, "[CLS]"), (.mask, "[MASK]")]
        case .roberta:
            [
                (.begin, "<s>"), (.end, "</s>"), (.separator, "</s>"), (.classification, "<s>"), (.unknown, "<unk>"),
                (.padding, "<pad>"), (.mask, "<mask>"),
            ]
        case .gpt2: [(.begin, "<|endoftext|>"), (.end, "<|endoftext|>"), (.unknown, "<|endoftext|>")]
        case .llama: [(.begin, "<s>"), (.end, "</s>"), (.unknown, "<unk>")]
        case .qwen2: [(.end, "<|endoftext|>"), (.unknown, "<|endoftext|>"), (.padding, "<|endoftext|>")]
        case .gptNeoX:
            [(.begin, "<|endoftext|>"), (.end, "<|endoftext|>"), (.unknown, "<|endoftext|>"), (.padding, "<|padding|>")]
        }
    }
}
