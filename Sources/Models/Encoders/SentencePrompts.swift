import Formats
import Foundation

/// The config_sentence_transformers.json of a folder of sentence-transformers, as far as it changes vectors.
struct SentencePrompts {
    /// What is put before every text; empty where the folder names no default prompt.
    let prompt: String
    /// `similarity_fn_name`; nil where it is absent.
    let similarity: String?

    /// The prompts that every encoder of sentence-transformers has, empty unless the folder fills them.
    private static let usual = ["query": "", "document": ""]

    /// Reads the file, if there is one.
    /// - Throws: ``EncoderError/module(file:problem:)`` for a default prompt that is none of the prompts; ``CheckpointError``.
    init(_ folder: URL) throws {
        let url = folder.appendingPathComponent("config_sentence_transformers.json")
        guard try FileStatus.of(url) != nil else {
            (prompt, similarity) = ("", nil)
            return
        }
        let file = try JSONValue(contentsOf: url)
        func fault(_ problem: String) -> EncoderError { .module(file: url.path, problem: problem) }
        func text(_ value: JSONValue, _ key: String) throws -> String {
            guard !value.isNull else { return "" }
            guard let text = value.string else { throw fault("\(key) is not a text") }
            return text
        }
        var prompts = Self.usual
        if let given = file["prompts"], !given.isNull {
            guard let members = given.members else { throw fault("prompts is not an object of texts") }
            for member in members { prompts[member.key] = try text(member.value, "the prompt \"\(member.key)\"") }
        }
        similarity = try file["similarity_fn_name"].flatMap { $0.isNull ? nil : try text($0, "similarity_fn_name") }
        guard let name = file["default_prompt_name"], !name.isNull else {
            prompt = ""
            return
        }
        let key = try text(name, "default_prompt_name")
        guard let found = prompts[key] else {
            throw fault("default_prompt_name is \"\(key)\", but the prompts are \(prompts.keys.sorted().joined(separator: ", "))")
        }
        prompt = found
    }
}
