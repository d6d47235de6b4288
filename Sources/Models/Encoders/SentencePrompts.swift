import Formats
import Foundation

/// The prompt that is prepended to a text for a sentence encoder.
public enum SentencePrompt: Sendable, Hashable {
    /// The folder's default prompt, if it has one.
    case standard
    /// The folder's prompt with this name.
    case named(String)
    /// A given text; none if it is empty.
    case text(String)
    /// The folder's prompt for search queries; none if it has no such prompt.
    case query
    /// The folder's prompt for documents to search in; none if it has no such prompt.
    case document
}

/// The contents of config_sentence_transformers.json that affect vectors.
struct SentencePrompts {
    /// The prompts by name.
    let prompts: [String: String]
    /// The name of the default prompt; nil for none.
    let standard: String?
    /// The similarity function, `similarity_fn_name`; nil if it is missing.
    let similarity: String?
    /// The number of dimensions to keep, `truncate_dim`; nil for all.
    let dimension: Int?
    private let file: String

    /// The prompts that every sentence-transformers model has, empty unless the folder defines them.
    private static let usual = ["query": "", "document": ""]

    /// Reads the file, if it exists.
    /// - Parameters:
    ///   - folder: the folder of the model.
    ///   - isRead: whether to read the file; otherwise the defaults apply.
    /// - Throws: ``EncoderError/module(file:problem:)`` for a default prompt that does not exist, or another kind of model;
    ///   `CheckpointError`.
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
            guard let text = value.string else { throw fault("\(key) is not a string") }
            return text
        }
        func optional(_ key: String) throws -> String? {
            try contents[key].flatMap { $0.isNull ? nil : try text($0, key) }
        }
        let kind = try optional("model_type") ?? "SentenceTransformer"
        guard kind == "SentenceTransformer" else {
            throw fault("model_type is \"\(kind)\"; expected SentenceTransformer")
        }
        var prompts = Self.usual
        if let given = contents["prompts"], !given.isNull {
            guard let members = given.members else { throw fault("prompts must map names to strings") }
            for member in members { prompts[member.key] = try text(member.value, "the prompt \"\(member.key)\"") }
        }
        self.prompts = prompts
        similarity = try optional("similarity_fn_name")
        if let given = contents["truncate_dim"], !given.isNull {
            guard let number = given.int, number > 0 else { throw fault("truncate_dim must be an integer above 0") }
            dimension = number
        } else {
            dimension = nil
        }
        standard = try optional("default_prompt_name")
        if let standard, prompts[standard] == nil {
            throw fault("default_prompt_name is \"\(standard)\", but the prompts are \(prompts.keys.sorted().joined(separator: ", "))")
        }
    }

    /// The text of a prompt; empty for none.
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
