public import ArgumentParser
public import Report

/// Which models answer which prompts, and what becomes of the answers.
public struct ModelSamplingOptions: SettingsOptions {
    public typealias Values = ModelSamplingSettings

    @Option(
        help: """
            Models: folders, GGUF files, run folders or IDs. Each of them answers every prompt. The option's name may be left out.
            """, completion: .file())
    public var models = ArgumentList(Self.defaults.models)
    @Option(
        help: """
            File of prompts, or - for standard input. It is a text file with one prompt per line, or rows as the training programs read \
            them (.jsonl, .json, .csv, also with .gz), whose prompts are made as in training. Default: standard input, one prompt per \
            line.
            """, completion: .file())
    public var prompts: String?
    @Option(
        help: """
            How a line of text becomes a prompt. One of text (as it is), chat (one user message in the model's chat template), tldr, \
            cnnDailyMail, alpacaWithoutInput, or a template with {post} in place of the line. Default: chat if the model has a chat \
            template, otherwise text.
            """)
    public var promptFormat: String?
    @Option(help: "System message of chat prompts. Default: none.")
    public var systemMessage: String?
    @Option(help: "Format of rows, as in the training programs. Default: detected from the first row.")
    public var dataFormat: String?
    @Option(help: "Maximum number of prompts to answer. Default: all.")
    public var maxPrompts: Int?
    @Option(help: "Answers to each prompt by each model.")
    public var numReturnSequences = Self.defaults.numReturnSequences
    @Option(help: "Texts that end an answer. Separate them with commas; \\n is a line break. The answer stops in front of them.")
    public var stop = ArgumentList(Self.defaults.stop)
    @Option(
        help: """
            JSONL file for the answers. Its rows have id, model, prompt, response, tokens and finish. Default: not written.
            """, completion: .file())
    public var answersOutput: String?
    @Option(help: "Matmul precision: f32 or bf16. With bf16, sums are f32.")
    public var dtype = Self.defaults.dtype

    public static var optionOfWords: String? { "models" }
    public static var essentials: [String] {
        ["models", "prompts", "prompt-format", "max-new-tokens", "temperature", "num-return-sequences", "answers-output"]
    }

    public init() {}
}
