public import ArgumentParser
public import Report

/// What a judge is asked, and how one behind HTTP is reached.
public struct JudgeOptions: SettingsOptions {
    public typealias Values = JudgeSettings

    @Option(help: "The model that --judge-url is asked for.")
    public var judgeModel: String?
    @Option(help: "The variable of the environment that the service's key is read from.")
    public var judgeKeyVariable = Self.defaults.judgeKeyVariable
    @Option(help: "What the texts are, in the questions: summaries or instructions (answers to them).")
    public var judgePrompt = Self.defaults.judgePrompt
    @Option(
        help: """
            In place of --judge-prompt: a file with the question, and places for the texts: {input}, {first}, {second}, {label_1}, {label_2}.
            """, completion: .file())
    public var judgeTemplate: String?
    @Option(help: "What both texts are called in questions to --judge-url; model_1,model_2 unless given, A,B with log-probs.")
    public var judgeLabels = ArgumentList(Self.defaults.judgeLabels)
    @Option(
        help: """
            Where the verdict of --judge-url is found: answer (the text), or log-probs (the two labels weighted by their log-probabilities as \
            the first token).
            """)
    public var judgeVerdict = Self.defaults.judgeVerdict
    @Option(help: .yesNo("Whether the questions of --judge-prompt offer a tie."))
    public var judgeTies = Self.defaults.judgeTies
    @Option(help: "The temperature of the judge's sampling.")
    public var judgeTemperature = Self.defaults.judgeTemperature
    @Option(help: "Tokens of a judge's answer at most; with log-probs it is 1.")
    public var judgeMaxTokens = Self.defaults.judgeMaxTokens
    @Option(help: "How many log-probabilities are asked for.")
    public var judgeTopLogProbs = Self.defaults.judgeTopLogProbs
    @Option(help: "Questions to --judge-url that are under way at once.")
    public var judgeConcurrency = Self.defaults.judgeConcurrency
    @Option(help: "Seconds until a request to --judge-url counts as failed.")
    public var judgeTimeout = Self.defaults.judgeTimeout
    @Option(help: "How often a request is tried before its question counts as failed.")
    public var judgeAttempts = Self.defaults.judgeAttempts
    @Option(
        help: """
            The file that keeps the service's answers, so that the same question is asked once; judge-cache.jsonl in --output-dir unless given.
            """)
    public var judgeCache: String?
    @Option(
        help: """
            A folder with the judge's tokenizer, or its GGUF file: prompts are then counted in tokens to find those that the service has cut.
            """)
    public var judgeTokenizer: String?
    @Option(help: .yesNo("Whether a prompt of which the service counts fewer tokens than it has ends the run."))
    public var judgeTokenCheck = Self.defaults.judgeTokenCheck
    @Option(help: "The price of a million tokens of prompts.")
    public var judgePriceIn: Double?
    @Option(help: "The price of a million tokens of answers.")
    public var judgePriceOut: Double?
    @Option(
        help: """
            A JSONL file of {"input", "difficulty"}, for the length-controlled win rates of alpaca_eval that know the difficulty of instructions.
            """, completion: .file())
    public var instructionDifficulties: String?
    @Option(
        help: """
            A JSONL file of alpaca_eval's gamed baseline, {"preference", "std_delta_len", "instruction_difficulty"}, for its \
            length_controlled_v1.
            """, completion: .file())
    public var gamedAnnotations: String?

    public init() {}
}
