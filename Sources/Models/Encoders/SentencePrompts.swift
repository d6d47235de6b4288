import Formats
import Foundation

/// What is put before a text that a sentence encoder reads.
public enum SentencePrompt: Sendable, Hashable {
    /// The folder's default prompt, which may be none.
    case standard
    /// The folder's prompt of that name.
    case named(String)
    /// This text; none where it is empty.
    case text(String)
    /// The folder's prompt for what is searched for; none where it has no such prompt.
    case query
    /// The folder's prompt for what is searched in; none where it has no such prompt.
    case document
}

/// The config_sentence_transformers.json of a folder of sentence-transformers, as far as it changes vectors.
struct SentencePrompts {
    /// The prompts by name.
    let prompts: [String: String]
    /// The name of the prompt that stands before texts unless another is asked for; nil for none.
    let standard: String?
    /// `similarity_fn_name`; nil where it is absent.
    let similarity: String?
    /// `truncate_dim`: the channels of a vector that count; nil for all.
    let dimension: Int?
    private let file: String

    /// The prompts that every encoder of sentence-transformers has, empty unless the folder fills them.
    private static let usual = ["query": "", "document": ""]

    /// Reads the file, if there is one.
    /// - Parameter isRead: whether it is looked at.
    /// - Throws: ``EncoderError/module(file:problem:)`` for a default prompt that is none of the prompts, or another kind of model;
    ///   ``CheckpointError``.
    init(_ folder: URL, isRead: Bool) throws {
        let url = folder.appendingPathComponent("config_sentence_transformers.json")
        file = url.path
        guard isRead, try FileStatus.of(url) != nil else {
            (prompts, standard, similarity, dimension) = (Self.usual, nil, nil, nil)
            return
        }
        let contents = try JSONValue(contentsOf: url)
        func fault(_ problem: String) -> EncoderError { .module(file: url.path, problem: problem) }
        func text(_ value: JSONValue, _ key: String) throws -> String {
            guard !value.isNull else { return "" }
            guard let text = value.string else { throw fault("\(key) is not a text") }
            return text
        }
        func optional(_ key: String) throws -> String? {
            try contents[key].flatMap { $0.isNull ? nil : try text($0, key) }
        }
        let kind = try optional("model_type") ?? "SentenceTransformer"
        guard kind == "SentenceTransformer" else {
            throw fault("model_type is \"\(kind)\"; a SentenceTransformer is needed")
        }
        var prompts = Self.usual
        if let given = contents["prompts"], !given.isNull {
            guard let members = given.members else { throw fault("prompts is not an object of texts") }
            for member in members { prompts[member.key] = try text(member.value, "the prompt \"\(member.key)\"") }
        }
        self.prompts = prompts
        similarity = try optional("similarity_fn_name")
        if let given = contents["truncate_dim"], !given.isNull {
            guard let number = given.int, number > 0 else { throw fault("truncate_dim is not a whole number above 0") }
            dimension = number
        } else {
            dimension = nil
        }
        standard = try optional("default_prompt_name")
        if let standard, prompts[standard] == nil {
            throw fault("default_prompt_name is \"\(standard)\", but the prompts are \(prompts.keys.sorted().joined(separator: ", "))")
        }
    }

    /// What a prompt stands for; empty for none.
    /// - Throws: ``EncoderError/module(file:problem:)`` for a name that the folder does not have.
    func text(of prompt: SentencePrompt) throws -> String {
        switch prompt {
        case .standard: standard.flatMap { prompts[$0] } ?? ""
        case .text(let text): text
        case .query: prompts["query"] ?? ""
        case .document: prompts["document"] ?? ""
        case .named(let name): try named(name)
        }
    }

    private func named(_ name: String) throws -> String {
        guard let text = prompts[name] else {
            let known = prompts.keys.sorted().joined(separator: ", ")
            throw EncoderError.module(file: file, problem: "there is no prompt \"\(name)\"; the prompts are \(known)")
        }
        return text
    }
}
