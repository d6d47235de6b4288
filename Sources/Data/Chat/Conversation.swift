public import Formats

/// A conversational row: messages that a model's chat template renders to text.
///
/// A message is an object with `role`, `content` (a text, or anything else the template accepts) and any further keys
/// that the template uses.
public struct Conversation: Codable, Sendable, Equatable {
    /// The messages before the response.
    public var prompt: [JSONValue]
    /// The messages of the response; empty for a prompt without a response.
    public var response: [JSONValue]
    /// Whether every turn of the assistant is trained, as in rows with `messages`, or only those of the response.
    public var learnsEveryTurn: Bool

    /// Creates a conversation from its messages.
    public init(prompt: [JSONValue], response: [JSONValue] = [], learnsEveryTurn: Bool = false) {
        self.prompt = prompt
        self.response = response
        self.learnsEveryTurn = learnsEveryTurn
    }

    /// Creates a conversation from a `messages` list. The last message is the response if its role is assistant. Every
    /// turn of the assistant is trained.
    public init(messages: [JSONValue]) {
        let isAnswered = messages.last.map(Self.isAssistant) ?? false
        self.init(
            prompt: isAnswered ? Array(messages.dropLast()) : messages, response: isAnswered ? Array(messages.suffix(1)) : [],
            learnsEveryTurn: true)
    }

    /// All messages in order: the prompt, then the response.
    public var messages: [JSONValue] { prompt + response }

    /// The texts of the prompt's messages, joined by newlines.
    public var promptText: String { prompt.map(Self.text).joined(separator: "\n") }
    /// The text of the last assistant message in the response; empty if there is none.
    public var responseText: String { response.last(where: Self.isAssistant).map(Self.text) ?? "" }

    /// Whether the message's role is `assistant`.
    static func isAssistant(_ message: JSONValue) -> Bool { message["role"]?.string == "assistant" }

    /// The text of a message: its `content`, or the texts of the parts of its `content`, joined by newlines.
    static func text(_ message: JSONValue) -> String {
        if let text = message["content"]?.string { return text }
        return (message["content"]?.array ?? []).compactMap { $0["text"]?.string ?? $0.string }.joined(separator: "\n")
    }

    /// Checks that ``text(_:)`` drops nothing from the messages' content, such as an image.
    /// - Throws: `RowProblem` for a message with content that is not text.
    static func checkTexts(_ messages: [JSONValue]) throws(RowProblem) {
        for (number, message) in zip(1..., messages) {
            guard let content = message["content"]?.unlessNull, content.string == nil else { continue }
            func problem(_ what: String) -> RowProblem {
                let role = message["role"]?.string ?? "unknown"
                return .unfit(
                    "the content of message \(number) (\(role)) \(what); without a chat template, only text is supported"
                )
            }
            guard let parts = content.array else { throw problem("is \(RowJSON.kind(content)), not text") }
            for (place, part) in zip(1..., parts) where part["text"]?.string == nil && part.string == nil {
                let kind = part["type"]?.string.map { "of type \(OneLine.quoted($0, limit: 40))" } ?? "that is \(RowJSON.kind(part))"
                throw problem("has a part \(kind) (part \(place)), not text")
            }
        }
    }

    /// The keys of a message's role and content.
    enum MessageNames {
        /// `role` and `content`.
        case roleContent
        /// `from` and `value`, with `human` and `gpt` for user and assistant; converted to `role` and `content`.
        case fromValue
    }

    /// The roles that templates know. Other roles are rejected: a template would render a misspelt role unchanged, and
    /// its message would never be trained.
    static let roles: Set<String> = [
        "system", "developer", "user", "assistant", "tool", "function", "ipython", "environment", "observation", "context", "documents",
    ]

    /// Reads a list of messages from a field.
    /// - Throws: `RowProblem` if the field is missing or empty, is not a list, or holds an invalid message.
    static func messages(_ field: String, of record: Record, names: MessageNames = .roleContent) throws -> [JSONValue] {
        guard let value = try record.json(field) else { throw RowProblem.missingField(field) }
        guard let messages = value.array else {
            throw RowProblem.wrongType(field: field, expected: "a list of messages", got: RowJSON.kind(value))
        }
        guard !messages.isEmpty else { throw RowProblem.unfit("\"\(field)\" is an empty list; expected at least one message") }
        let key = names == .fromValue ? "from" : "role"
        return try messages.enumerated().map { index, message in
            guard let members = message.members else {
                throw RowProblem.wrongType(
                    field: "\(field).\(index)", expected: "an object with \(key) and \(names == .fromValue ? "value" : "content")",
                    got: RowJSON.kind(message))
            }
            let place = "\(field).\(index).\(key)"
            guard let role = message[key]?.unlessNull else { throw RowProblem.missingField(place) }
            guard let word = role.string else {
                throw RowProblem.wrongType(field: place, expected: "a string", got: RowJSON.kind(role))
            }
            let known = names == .fromValue ? ["human": "user", "gpt": "assistant"][word] ?? word : word
            guard roles.contains(known) else {
                throw RowProblem.unfit(
                    "\"\(place)\" is the unknown role \(OneLine.quoted(word, limit: 40)); expected "
                        + (names == .fromValue ? "human, gpt, system or tool" : "system, user, assistant, tool, developer or function"))
            }
            guard names == .fromValue else { return message }
            return .object(
                members.map { member in
                    switch member.key {
                    case "from": JSONValue.Member("role", .string(known))
                    case "value": JSONValue.Member("content", member.value)
                    default: member
                    }
                })
        }
    }
}

extension Conversation {
    /// The conversation as JSON text. Keeps the order of keys, which a template may write out.
    var text: String {
        let object: JSONValue = ["prompt": .array(prompt), "response": .array(response), "learnsEveryTurn": .bool(learnsEveryTurn)]
        return object.text
    }

    /// Parses a conversation written by ``text``; nil for any other text.
    init?(text: String) {
        guard let value = try? JSONValue(parsing: Array(text.utf8), .hugeNumbers), let prompt = value["prompt"]?.array else { return nil }
        self.init(prompt: prompt, response: value["response"]?.array ?? [], learnsEveryTurn: value["learnsEveryTurn"]?.bool ?? false)
    }

    /// Decodes a conversation from a string of JSON.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let conversation = Conversation(text: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a conversation as JSON")
        }
        self = conversation
    }

    /// Encodes the conversation as a string of JSON, which keeps the order of keys.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension SummaryExample {
    /// Reads a conversational row: `messages`, or `prompt` and `completion` as lists of messages. Returns nil for any
    /// other row.
    static func conversational(_ record: Record, id: String) throws -> SummaryExample? {
        if try record.holdsList("messages") {
            return SummaryExample(id: id, conversation: Conversation(messages: try Conversation.messages("messages", of: record)))
        }
        if let text = try record.optionalText("conversation") {
            // the form in which a corpus is saved
            guard let conversation = Conversation(text: text) else {
                throw RowProblem.wrongType(field: "conversation", expected: "a conversation as JSON", got: OneLine.quoted(text, limit: 40))
            }
            return SummaryExample(id: id, conversation: conversation)
        }
        guard try record.holdsList("prompt") else { return nil }
        let response = try record.has("completion") ? Conversation.messages("completion", of: record) : []
        return SummaryExample(
            id: id, conversation: Conversation(prompt: try Conversation.messages("prompt", of: record), response: response))
    }

    /// Creates a conversational example. Its post and summary are the texts of its messages, for code that does not use
    /// the conversation.
    public init(id: String, conversation: Conversation) {
        self.init(
            id: id, subreddit: "", title: "", post: conversation.promptText, summary: conversation.responseText,
            promptFormat: .contents)
        self.conversation = conversation
    }
}

extension Comparison {
    /// Creates a comparison of two summaries of an example. If the example is a conversation, the summaries are
    /// responses to its messages.
    package init(of example: SummaryExample, summaries: [String], choice: Int) {
        self.init(
            id: example.id, subreddit: example.subreddit, title: example.title, post: example.post, summaries: summaries, choice: choice)
        promptFormat = example.promptFormat
        guard let conversation = example.conversation else { return }
        promptFormat = .contents
        conversations = summaries.map { summary in
            Conversation(prompt: conversation.prompt, response: [["role": "assistant", "content": .string(summary)]])
        }
    }

    /// Reads a conversational comparison: `chosen` and `rejected` as lists of messages, and optionally `prompt`.
    /// Without `prompt`, the messages that both lists begin with are the prompt. Returns nil for any other row.
    static func conversational(_ record: Record, id: String) throws -> Comparison? {
        guard try record.holdsList("chosen"), try record.holdsList("rejected") else { return nil }
        var chosen = try Conversation.messages("chosen", of: record)
        var rejected = try Conversation.messages("rejected", of: record)
        var prompt: [JSONValue] = []
        if try record.holdsList("prompt") {
            prompt = try Conversation.messages("prompt", of: record)
        } else {
            var shared = zip(chosen, rejected).prefix { $0 == $1 }.count
            // if one list is a prefix of the other, the last message that they share is an answer in both
            if shared == min(chosen.count, rejected.count), chosen.count != rejected.count { shared -= 1 }
            prompt = Array(chosen[..<shared])
            (chosen, rejected) = (Array(chosen[shared...]), Array(rejected[shared...]))
        }
        guard !prompt.isEmpty else {
            throw RowProblem.unfit("there is no \"prompt\", and \"chosen\" and \"rejected\" do not begin with the same message")
        }
        for (name, response) in [("chosen", chosen), ("rejected", rejected)] where !(response.last.map(Conversation.isAssistant) ?? false) {
            throw RowProblem.unfit("\"\(name)\" must end with an assistant message that the other side does not have")
        }
        return Comparison(
            id: id, prompt: prompt, chosen: chosen, rejected: rejected, batch: try record.optionalText("batch"))
    }

    /// Creates a conversational comparison. The first summary is the chosen one.
    public init(id: String, prompt: [JSONValue], chosen: [JSONValue], rejected: [JSONValue], batch: String? = nil) {
        let sides = [chosen, rejected].map { Conversation(prompt: prompt, response: $0) }
        self.init(
            id: id, subreddit: "", title: "", post: sides[0].promptText, summaries: sides.map(\.responseText), choice: 0, batch: batch,
            promptFormat: .contents)
        conversations = sides
    }
}
