import Formats

/// The rules by which a GGUF tokenizer of kind `gpt2` splits texts into words: named in `tokenizer.ggml.pre`, and equal
/// to those in the `tokenizer.json` of the models with that name.
struct GGUFWordKind {
    /// The `normalizer` of the `tokenizer.json`.
    var normalizer: JSONValue = nil
    /// The `pre_tokenizer` of the `tokenizer.json`.
    var preTokenizer: JSONValue
    /// Whether a word that is in the vocabulary is used directly, without merging.
    var ignoresMerges = false
    /// Whether the beginning-of-sequence token is added before texts, if the file does not say.
    var addsBegin = false
    /// A note for the user.
    var note: String?

    /// The rules that a file names; GPT-2's, with a note, if it names none.
    ///
    /// - Throws: `TokenizerError.unsupported` for an unknown name.
    init(_ source: GGUFTokenizerMetadata) throws {
        guard let name = source.kind else {
            self.init(preTokenizer: Self.gpt2)
            note = "\(source.file): \(GGUFTokenizerMetadata.kindKey) is missing; texts are split into words as in GPT-2"
            return
        }
        guard let kind = Self.kind(name) else { throw source.unsupported(GGUFTokenizerMetadata.kindKey, name) }
        self = kind
    }

    private init(normalizer: JSONValue = nil, preTokenizer: JSONValue, ignoresMerges: Bool = false, addsBegin: Bool = false) {
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.ignoresMerges = ignoresMerges
        self.addsBegin = addsBegin
    }

    /// One name for each distinct set of rules.
    static let names = [
        "gpt-2", "llama-bpe", "smaug-bpe", "qwen2", "stablelm2", "tekken", "gpt-4o", "smollm", "command-r", "falcon", "bloom",
        "deepseek-llm",
        "deepseek-coder", "deepseek-v3", "olmo",
    ]

    /// The rules with a name; `nil` if it is unknown.
    static func kind(_ name: String) -> GGUFWordKind? {
        switch name {
        case "default", "gpt-2", "gpt2", "phi-2": GGUFWordKind(preTokenizer: gpt2)
        case "olmo", "mpt": GGUFWordKind(normalizer: composed, preTokenizer: gpt2)
        case "llama-bpe", "llama3", "llama-v3", "pixtral":
            GGUFWordKind(preTokenizer: split(llama3), ignoresMerges: true, addsBegin: true)
        case "smaug-bpe", "dbrx", "falcon3": GGUFWordKind(preTokenizer: split(llama3))
        case "qwen2", "deepseek-r1-qwen", "megrez": GGUFWordKind(normalizer: composed, preTokenizer: split(ByteLevelFiles.qwenPattern))
        case "stablelm2": GGUFWordKind(preTokenizer: split(ByteLevelFiles.qwenPattern))
        case "tekken": GGUFWordKind(preTokenizer: split(tekken), ignoresMerges: true, addsBegin: true)
        case "gpt-4o", "llama4": GGUFWordKind(preTokenizer: split(gpt4o))
        case "smollm", "starcoder", "refact": GGUFWordKind(preTokenizer: sequence([digits, gpt2]))
        case "command-r": GGUFWordKind(normalizer: composed, preTokenizer: sequence([digits, gpt2]))
        case "falcon":
            GGUFWordKind(
                preTokenizer: sequence([
                    ["type": "Punctuation", "behavior": "Contiguous"], gpt2, ["type": "Digits", "individual_digits": false],
                    split("[0-9][0-9][0-9]", spelling: false),
                ]))
        case "bloom": GGUFWordKind(preTokenizer: split(#" ?[^(\s|[.,!?…。，、।۔،])]+"#))
        case "deepseek-llm":
            GGUFWordKind(preTokenizer: sequence(deepSeekLLM.map { split($0, spelling: false) } + [digits, bytes]))
        case "deepseek-coder":
            GGUFWordKind(preTokenizer: sequence(deepSeekCoder.map { split($0, spelling: false) } + [digits, bytes]))
        case "deepseek-v3": GGUFWordKind(preTokenizer: sequence(deepSeekV3.map { split($0, spelling: false) } + [bytes]))
        default: nil
        }
    }

    // MARK: Parts

    private static let composed: JSONValue = ["type": "NFC"]
    private static let gpt2 = ByteLevelFiles.byteLevel(addsSpace: false, usesPattern: true)
    private static let bytes = ByteLevelFiles.byteLevel(addsSpace: false, usesPattern: false)
    private static let digits: JSONValue = ["type": "Digits", "individual_digits": true]

    private static func sequence(_ elements: [JSONValue]) -> JSONValue { ["type": "Sequence", "pretokenizers": .array(elements)] }

    /// A Split whose matches become separate words, followed by spelling in the byte-level alphabet unless `spelling`
    /// is false.
    private static func split(_ expression: String, spelling: Bool = true) -> JSONValue {
        let split: JSONValue = ["type": "Split", "pattern": ["Regex": .string(expression)], "behavior": "Isolated", "invert": false]
        return spelling ? sequence([split, bytes]) : split
    }

    // MARK: Expressions

    private static let llama3 =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    /// A word that starts with capitals or consists of capitals: the beginning of Tekken's and GPT-4o's expressions.
    private static func words(_ ending: String) -> String {
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"# + ending
            + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"# + ending
    }
    private static let tekken = words("") + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let gpt4o =
        words("(?i:'s|'t|'re|'ve|'m|'ll|'d)?") + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    private static let deepSeekCoder = ["[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥ࠀ-一가-\u{D7FF}]+"]
    private static let deepSeekV3 = [
        #"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*"
            + "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
    ]
    /// DeepSeek LLM: words of cased letters, ASCII and East Asian punctuation, white space at the end, Han and Hangul.
    private static let deepSeekLLM = [
        "[\r\n]", "\\s?[\(casedLetters)]+", "\\s?[!-/:-~！-／：-～‘-‟\u{3000}-。]+", #"\s+$"#, "[一-龥ࠀ-一가-\u{D7FF}]+",
    ]
    /// Ranges of letters. Ends of ranges that have another canonical form are written as escapes.
    private static let casedLetters =
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ\u{1F5F}-\u{1F7D}"
        + "ᾀ-ᾴᾶ-ᾼ\u{1FBE}ῂ-ῄῆ-ῌῐ-\u{1FD3}ῖ-\u{1FDB}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u{2126}ℨ\u{212A}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⲳⳳ"
        + "Ꙁ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
}
