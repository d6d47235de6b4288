public import Formats
public import Foundation

/// A model's chat template: makes one text of a conversation, as Transformers' `apply_chat_template(tokenize=False)` does.
public struct ChatTemplate: Sendable {
    /// What to call it in errors: its file.
    public let name: String
    /// The template as it was written.
    public var source: String { template.source }
    /// What the template knows beside the messages: `bos_token`, `eos_token` and so on.
    public let variables: [String: String]
    /// What `strftime_now` tells; nil for the present.
    public var date: Date?
    private let template: JinjaTemplate

    /// Reads a template.
    /// - Parameters:
    ///   - source: A template in the language of Jinja; see `JinjaTemplate`.
    ///   - name: What to call it in errors.
    ///   - variables: The special tokens by the names of their roles.
    /// - Throws: `DataError.chat`.
    public init(_ source: String, name: String = "the chat template", variables: [String: String] = [:]) throws {
        self.name = name
        self.variables = variables
        do {
            template = try JinjaTemplate(source)
        } catch let error as JinjaError {
            throw DataError.chat("\(name): \(error)")
        }
    }

    /// Whether it marks what the assistant says with `{% generation %}`.
    public var marksGenerations: Bool { template.marksGenerations }
    /// Whether its texts depend on the day.
    public var asksForTime: Bool { source.contains("strftime_now") }

    /// The text of a conversation.
    ///
    /// - Parameters:
    ///   - messages: Objects with `role`, `content` and whatever the template asks for. Keys with null are left out.
    ///   - addGenerationPrompt: Whether the text ends with what stands before the assistant's next turn.
    ///   - continueFinalMessage: Whether the text ends with the last message's own, so that a model goes on with it.
    ///   - settings: Further variables of the template, such as `enable_thinking`.
    /// - Throws: `DataError.chat`: the template's own refusal (`raise_exception`) among them.
    public func render(
        _ messages: [JSONValue], addGenerationPrompt: Bool = false, continueFinalMessage: Bool = false, settings: [String: JSONValue] = [:]
    ) throws -> JinjaTemplate.Rendering {
        if continueFinalMessage, addGenerationPrompt { throw fault("a final message cannot be continued behind a generation prompt") }
        guard !messages.isEmpty else { throw fault("a conversation without messages") }
        var messages = try messages.map(normalised)
        var end: ContinuedMessage?
        if continueFinalMessage {
            end = try ContinuedMessage(&messages[messages.count - 1], in: self)
        }
        var values: [String: JSONValue] = variables.mapValues { .string($0) }
        values.merge(settings) { $1 }
        values["messages"] = .array(messages)
        values["tools"] = .null
        values["documents"] = .null
        values["add_generation_prompt"] = .bool(addGenerationPrompt)
        var rendering: JinjaTemplate.Rendering
        do {
            rendering = try template.render(values, now: date ?? Date())
        } catch let error as JinjaError {
            if error.kind == .raised { throw fault("the template refuses the conversation: \(error.reason) (line \(error.line))") }
            throw fault("\(error)")
        }
        if let end { rendering.text = try end.cut(rendering.text, in: self) }
        return rendering
    }

    func fault(_ reason: String) -> DataError { .chat("\(name): \(reason)") }

    /// A message without keys of null, and with its reasoning under the names that templates know.
    private func normalised(_ message: JSONValue) throws -> JSONValue {
        guard let members = message.members else { throw fault("a message that is no object") }
        var result: [JSONValue.Member] = []
        // of repeated keys the last counts, in the place of the first
        for member in members {
            if let index = result.firstIndex(where: { $0.has(member.key) }) {
                result[index].value = member.value
            } else {
                result.append(member)
            }
        }
        result.removeAll { $0.value.isNull }
        let reasoning = ContinuedMessage.reasoningFields.lazy.compactMap { field in result.first { $0.has(field) }?.value }.first
        guard let reasoning else { return .object(result) }
        let thinking = result.first { $0.has("thinking") }?.value ?? reasoning
        result.removeAll { $0.has("thinking") }
        let object = JSONValue.object([.init("thinking", thinking)] + result)
        return object.setting("reasoning_content", to: reasoning)
    }
}

extension ChatTemplate: Equatable, Codable {
    public static func == (left: ChatTemplate, right: ChatTemplate) -> Bool {
        left.source == right.source && left.variables == right.variables && left.date == right.date && left.name == right.name
    }

    private enum CodingKeys: String, CodingKey { case name, source, variables, date }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            values.decode(String.self, forKey: .source), name: values.decode(String.self, forKey: .name),
            variables: values.decode([String: String].self, forKey: .variables))
        date = try values.decodeIfPresent(Date.self, forKey: .date)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encode(source, forKey: .source)
        try values.encode(variables, forKey: .variables)
        try values.encodeIfPresent(date, forKey: .date)
    }
}

/// The final message of a conversation that is to be continued, and the mark behind it by which its end is found.
struct ContinuedMessage {
    static let reasoningFields = ["reasoning_content", "thinking", "reasoning"]
    private static let tag = "CONTINUE_FINAL_MESSAGE_TAG "
    private let text: String

    /// Puts the mark behind the text of a message.
    init(_ message: inout JSONValue, in template: ChatTemplate) throws {
        guard let content = message["content"]?.unlessNull else { throw template.fault("the final message has no content to continue") }
        guard template.source.contains("content") else { throw template.fault("the template does not ask for the content of messages") }
        if let text = content.string {
            self.text = text
            message["content"] = .string(text + Self.tag)
            return
        }
        var parts = content.array ?? []
        guard let index = parts.lastIndex(where: { $0["text"] != nil }), let text = parts[index]["text"]?.string else {
            throw template.fault("the final message has no text to continue")
        }
        self.text = text
        parts[index]["text"] = .string(text + Self.tag)
        message["content"] = .array(parts)
    }

    /// The text up to the mark.
    func cut(_ rendered: String, in template: ChatTemplate) throws -> String {
        let mark = Self.tag.dropLast()
        guard rendered.contains(Self.trimmed(text)) || Self.trimmed(text).isEmpty, let place = rendered.range(of: mark, options: .backwards)
        else {
            throw template.fault("the final message does not appear in the text that the template makes, so it cannot be continued")
        }
        let head = String(rendered[..<place.lowerBound])
        // where the template trims messages, the space at the end of this one is gone, too
        return rendered[place.upperBound...].hasPrefix(" ") ? head : Self.trimmed(head, start: false)
    }

    private static func trimmed(_ text: String, start: Bool = true) -> String {
        var scalars = text.unicodeScalars[...]
        if start { while let first = scalars.first, JinjaTemplate.isSpace(first) { scalars.removeFirst() } }
        while let last = scalars.last, JinjaTemplate.isSpace(last) { scalars.removeLast() }
        return String(scalars)
    }
}
