public import ArgumentParser
public import Report

/// What a judge is asked, and how one behind HTTP is reached.
public struct JudgeOptions: SettingsOptions {
    public typealias Values = JudgeSettings

    @Option(help: "Model to request from --judge-url. Required with it.")
    public var judgeModel: String?
    @Option(help: "Environment variable with the API key.")
    public var judgeKeyVariable = Self.defaults.judgeKeyVariable
    @Option(
        help: """
            Kind of texts: summaries or instructions. With instructions, the texts are answers to them. The questions of the judge follow \
            from it.
            """)
    public var judgePrompt = Self.defaults.judgePrompt
    @Option(
        help: """
            File with the question to the judge. It replaces --judge-prompt and has the placeholders {input}, {first}, {second}, {label_1} \
            and {label_2}. Default: none.
            """, completion: .file())
    public var judgeTemplate: String?
    @Option(
        help: """
            Names of the two texts in questions. They are for --judge-url. Default: model_1,model_2; with --judge-verdict log-probs, A,B.
            """)
    public var judgeLabels = ArgumentList(Self.defaults.judgeLabels)
    @Option(
        help: """
            Source of verdicts: answer or log-probs. For --judge-url, answer reads the text, and log-probs weights the two labels by their \
            log-probabilities as the first token.
            """)
    public var judgeVerdict = Self.defaults.judgeVerdict
    @Option(help: .yesNo("Offer a tie in the questions of --judge-prompt."))
    public var judgeTies = Self.defaults.judgeTies
    @Option(help: "Sampling temperature of the judge.")
    public var judgeTemperature = Self.defaults.judgeTemperature
    @Option(help: "Maximum number of tokens of a judge's answer. With log-probs it is 1.")
    public var judgeMaxTokens = Self.defaults.judgeMaxTokens
    @Option(help: "Number of log-probabilities to request. A number from 2 to 20, for --judge-verdict log-probs.")
    public var judgeTopLogProbs = Self.defaults.judgeTopLogProbs
    @Option(help: "Maximum number of concurrent requests. They are questions to --judge-url; at most 256.")
    public var judgeConcurrency = Self.defaults.judgeConcurrency
    @Option(help: "Time-out of a request, in seconds. It applies to --judge-url; at most 86400.")
    public var judgeTimeout = Self.defaults.judgeTimeout
    @Option(help: "Attempts per request. After these, its question counts as failed.")
    public var judgeAttempts = Self.defaults.judgeAttempts
    @Option(
        help: """
            Cache file of the service's answers. The same question is asked only once; one whose answer has no verdict is asked again \
            in the next run. Default: judge-cache.jsonl in --output-dir.
            """)
    public var judgeCache: String?
    @Option(
        help: """
            Folder of the judge's tokenizer, or GGUF file. Prompts are then counted in tokens, to find those that the service has \
            truncated. Default: none.
            """)
    public var judgeTokenizer: String?
    @Option(
        help: .yesNo(
            """
            Stop if the service has truncated a prompt. It has if it counts fewer tokens than the prompt has words or, with \
            --judge-tokenizer, tokens.
            """))
    public var judgeTokenCheck = Self.defaults.judgeTokenCheck
    @Option(help: "Price of a million prompt tokens. Default: none.")
    public var judgePriceIn: Double?
    @Option(help: "Price of a million answer tokens. Default: none.")
    public var judgePriceOut: Double?
    @Option(
        help: """
            JSONL file of the difficulties of inputs. It has {"input", "difficulty"} for the length-controlled win rates of alpaca_eval \
            that use the difficulty of instructions. Default: none.
            """, completion: .file())
    public var instructionDifficulties: String?
    @Option(
        help: """
            JSONL file of alpaca_eval's gamed baseline. It has {"preference", "std_delta_len", "instruction_difficulty"}, for \
            length_controlled_v1, and needs --instruction-difficulties. Default: none.
            """, completion: .file())
    public var gamedAnnotations: String?

    public init() {}
}
