import Formats
import Foundation

/// The contents of the files in which a tokenizer is saved.
struct TokenizerFiles: Sendable {
    /// A file that is saved unchanged.
    struct Companion: Sendable {
        var name: String
        var bytes: [UInt8]
    }

    /// The contents of `tokenizer.json`, without the vocabulary and the merges of the model.
    var pipeline: JSONValue
    /// The file that the pipeline was read from, for errors.
    var pipelineName: String
    /// The contents of `tokenizer_config.json`.
    var configuration: JSONValue
    /// The contents of `special_tokens_map.json`.
    var specialTokensMap: JSONValue
    /// Whether the pipeline's `added_tokens` is complete, because `tokenizer_config.json` has already been applied.
    var hasFinalTokens = false
    /// Notes about the files for the user, one line each.
    var notes: [String] = []
    /// Other files in the folder that belong to the tokenizer.
    var companions: [Companion] = []
    /// The file of an explicitly given chat template, for errors; nil if the template is the tokenizer's own.
    var templateName: String?

    /// The names of files that belong to a tokenizer and are copied when it is saved.
    static let companionNames = [
        "tokenizer.model", "spiece.model", "spm.model", "sentencepiece.bpe.model", "vocab.json", "merges.txt", "vocab.txt",
        "added_tokens.json", "chat_template.jinja",
        "chat_template.json",
    ]

    /// The folder with additional chat templates in separate files.
    static let templateFolder = "additional_chat_templates"

    /// Writes `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json` and the companions, each file
    /// atomically.
    func write(to folder: URL, model: TokenModel) throws {
        var json = pipeline["model"]?.unlessNull ?? .object([])
        json = json.setting("vocab", to: model.vocabularyJSON)
        if case .bpe(let model) = model { json = json.setting("merges", to: model.mergesJSON) }
        let contents = [
            ("tokenizer.json", pipeline.setting("model", to: json)),
            ("tokenizer_config.json", configuration),
            ("special_tokens_map.json", specialTokensMap),
        ]
        try Folder.make(folder)
        for (name, json) in contents {
            try AtomicFile.write(json.serialised(keepsPairsTogether: true), to: folder.appendingPathComponent(name))
        }
        if companions.contains(where: { $0.name.hasPrefix(Self.templateFolder + "/") }) {
            try Folder.make(folder.appendingPathComponent(Self.templateFolder, isDirectory: true))
        }
        for companion in companions {
            try AtomicFile.write(companion.bytes, to: folder.appendingPathComponent(companion.name))
        }
    }
}
