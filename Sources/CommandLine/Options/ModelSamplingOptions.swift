public import ArgumentParser
public import Report

/// Which models answer which prompts, and what becomes of the answers.
public struct ModelSamplingOptions: SettingsOptions {
    public typealias Values = ModelSamplingSettings

    @Option(
        help: "The models: model folders, GGUF files, run folders, or ids of runs. They may also stand without the option's name.",
        completion: .file())
    public var models = ArgumentList(Self.defaults.models)
    @Option(
        help: """
            A file of prompts: a text file with one prompt per line, or rows as the training programs read them (.jsonl, .json, .csv, also \
            with .gz), whose prompts are made as in training. - is standard input. Default: standard input, one prompt per line.
            """, completion: .file())
    public var prompts: String?
    @Option(
        help: """
            How a line of text becomes a prompt: text (as it is), chat (one user message in the model's chat template), tldr, cnnDailyMail, \
            alpacaWithoutInput, or a template with {post} in the place of the line. Default: chat if the model has a chat template, else text.
            """)
    public var promptFormat: String?
    @Option(help: "The system message of chat prompts.")
    public var systemMessage: String?
    @Option(help: "The format of rows, as for the training programs. Default: found from the first row.")
    public var dataFormat: String?
    @Option(help: "The most prompts that are answered. Default: all.")
    public var maxPrompts: Int?
    @Option(help: "Answers to each prompt by each model.")
    public var numReturnSequences = Self.defaults.numReturnSequences
    @Option(help: "Texts that end an answer, with commas between them; the answer stops in front of them.")
    public var stop = ArgumentList(Self.defaults.stop)
    @Option(help: "A JSONL file for the answers: id, model, prompt, response, tokens, finish.", completion: .file())
    public var answersOutput: String?
    @Option(help: "Matmul precision: f32, or bf16 with f32 accumulation.")
    public var dtype = Self.defaults.dtype

    public static var optionOfWords: String? { "models" }
    public static var essentials: [String] {
        ["models", "prompts", "prompt-format", "max-new-tokens", "temperature", "num-return-sequences", "answers-output"]
    }

    public init() {}
}
