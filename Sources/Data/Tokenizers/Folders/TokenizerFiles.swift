import Formats
import Foundation

/// The contents of the files a tokenizer is saved as.
struct TokenizerFiles: Sendable {
    /// A file that is saved as it was read.
    struct Companion: Sendable {
        var name: String
        var bytes: [UInt8]
    }

    /// tokenizer.json, without the vocabulary and the merges of its model.
    var pipeline: JSONValue
    /// The name of the file the pipeline was read from, for errors.
    var pipelineName: String
    /// tokenizer_config.json.
    var configuration: JSONValue
    /// special_tokens_map.json.
    var specialTokensMap: JSONValue
    /// Whether `added_tokens` of the pipeline is all there is: tokenizer_config.json was heard already.
    var hasFinalTokens = false
    /// What people should know of the files, a line each.
    var notes: [String] = []
    /// The other files of the folder that belong to the tokenizer.
    var companions: [Companion] = []
    /// The file that a chat template was given in, for errors; nil for the tokenizer's own.
    var templateName: String?

    /// The names of files that belong to a tokenizer and are carried along.
    static let companionNames = [
        "tokenizer.model", "spiece.model", "spm.model", "sentencepiece.bpe.model", "vocab.json", "merges.txt", "vocab.txt",
        "added_tokens.json", "chat_template.jinja",
        "chat_template.json",
    ]

    /// The folder in which chat templates have files of their own, beside the one that is used unless another is asked for.
    static let templateFolder = "additional_chat_templates"

    /// Writes tokenizer.json, tokenizer_config.json, special_tokens_map.json and the companions, each in one step.
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
