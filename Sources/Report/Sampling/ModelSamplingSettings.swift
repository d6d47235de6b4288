import Data
public import Study
import Tensor

/// Settings of sampling from models: models, prompts and output.
public struct ModelSamplingSettings: Settings {
    /// The models: model folders, GGUF files, run folders or run IDs. Each model answers every prompt.
    public var models: [String] = []
    /// A file of prompts: a text file with one prompt per line, or rows in any format that the training programs read (.jsonl, .json, .csv,
    /// also with .gz), whose prompts are made as in training. `-` is standard input. Default: standard input, one prompt per line.
    public var prompts: String?
    /// How a line of text becomes a prompt: text (as it is), chat (one user message in the model's chat template), tldr, cnnDailyMail,
    /// alpacaWithoutInput, or a template with {post} in the place of the line. Default: chat where the model has a chat template, else text.
    public var promptFormat: String?
    /// The system message of chat prompts.
    public var systemMessage: String?
    /// The format of rows, as for the training programs. Default: found from the first row.
    public var dataFormat: String?
    /// The most prompts that are answered. Default: all.
    public var maxPrompts: Int?
    /// Answers to each prompt by each model.
    public var numReturnSequences = 1
    /// Texts that end an answer; the answer stops in front of them. `\n` and `\t` stand for a line break and a tab.
    public var stop: [String] = []
    /// A JSONL file for the answers, one row each: `id`, `model`, `prompt`, `response`, `tokens`, `finish`.
    public var answersOutput: String?
    /// Matmul precision: f32, or bf16 with f32 accumulation.
    public var dtype = "f32"

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard !models.isEmpty else {
            throw InvalidSetting("name the models to sample from, such as runs/sft", isMissing: true)
        }
        guard maxPrompts ?? 1 > 0 else { throw InvalidSetting("--max-prompts must be above 0") }
        guard numReturnSequences > 0 else { throw InvalidSetting("--num-return-sequences must be above 0") }
        guard Compute.Precision(rawValue: dtype) != nil else {
            let names = Compute.Precision.allCases.map(\.rawValue).joined(separator: " or ")
            throw InvalidSetting("--dtype is '\(dtype)'; it takes \(names)")
        }
        _ = try format
        guard dataFormat == nil || readsRows else {
            throw InvalidSetting("--data-format needs --prompts with a .jsonl, .json or .csv file")
        }
        guard !readsRows || promptFormat == nil && systemMessage == nil else {
            throw InvalidSetting(
                "--prompt-format and --system-message are for lines of text; the prompts in \(prompts ?? "") are formatted as in training")
        }
    }

    /// The format of prompts that are read as lines.
    enum Format {
        /// By the model's chat template.
        case chat
        /// By a template; nil for the line as it is.
        case template(PromptFormat?)
    }

    /// The format; nil if it depends on the model.
    /// - Throws: `InvalidSetting`.
    var format: Format? {
        get throws {
            guard let name = promptFormat else { return systemMessage == nil ? nil : .chat }
            switch SettingName.canonical(name) {
            case "chat": return .chat
            case _ where systemMessage != nil: throw InvalidSetting("--system-message needs --prompt-format chat, not '\(name)'")
            case "text": return .template(nil)
            default: break
            }
            let known = PromptFormat.allCases.first { SettingName.canonical($0.rawValue) == SettingName.canonical(name) }
            guard let format = known ?? PromptFormat(rawValue: name) else {
                let names = ["text", "chat"] + PromptFormat.allCases.map(\.rawValue)
                throw InvalidSetting(
                    "--prompt-format is '\(name)'; it takes \(names.joined(separator: ", ")), or a template with {post}, such as 'Q: {post}'"
                )
            }
            return .template(format)
        }
    }

    /// The texts that end an answer.
    package var stopTexts: [String] { stop.map { $0.replacing("\\n", with: "\n").replacing("\\t", with: "\t") } }

    /// Whether `prompts` names a file of rows.
    var readsRows: Bool {
        guard var name = prompts?.lowercased() else { return false }
        if name.hasSuffix(".gz") { name.removeLast(3) }
        return [".jsonl", ".ndjson", ".json", ".csv"].contains { name.hasSuffix($0) }
    }
}
