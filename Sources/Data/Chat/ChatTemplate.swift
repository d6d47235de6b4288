public import Formats
public import Foundation

/// A model's chat template: renders a conversation to text, like Transformers' `apply_chat_template(tokenize=False)`.
public struct ChatTemplate: Sendable {
    /// The name of the template in error messages, usually its file.
    public let name: String
    /// The template's source text.
    public var source: String { template.source }
    /// Variables of the template besides the messages: `bos_token`, `eos_token` and other special tokens.
    public let variables: [String: String]
    /// The time that `strftime_now` formats; nil for the current time.
    public var date: Date?
    private let template: JinjaTemplate

    /// Parses a template.
    /// - Parameters:
    ///   - source: A Jinja template; `JinjaTemplate` lists what is supported.
    ///   - name: The name in error messages.
    ///   - variables: The special tokens by role, such as `eos_token`.
    /// - Throws: `DataError.chat` if the template is invalid.
    public init(_ source: String, name: String = "the chat template", variables: [String: String] = [:]) throws {
        self.name = name
        self.variables = variables
        do {
            template = try JinjaTemplate(source)
        } catch let error as JinjaError {
            throw DataError.chat("\(name): \(error)")
        }
    }

    /// Whether the template marks the assistant's text with `{% generation %}` blocks.
    public var marksGenerations: Bool { template.marksGenerations }
    /// Whether the rendered text may depend on the current time, because the template uses `strftime_now`.
    public var asksForTime: Bool { source.contains("strftime_now") }

    /// Renders a conversation to text.
    ///
    /// - Parameters:
    ///   - messages: Objects with `role`, `content` and any other keys that the template uses. Keys whose value is null
    ///     are removed.
    ///   - addGenerationPrompt: Whether to end with the text that opens the assistant's next turn.
    ///   - continueFinalMessage: Whether to end with the text of the last message, so that a model continues it. Cannot
    ///     be combined with `addGenerationPrompt`.
    ///   - settings: Further variables of the template, such as `enable_thinking`.
    /// - Throws: `DataError.chat` if the template cannot render the conversation, or rejects it with `raise_exception`.
    public func render(
        _ messages: [JSONValue], addGenerationPrompt: Bool = false, continueFinalMessage: Bool = false, settings: [String: JSONValue] = [:]
    ) throws -> JinjaTemplate.Rendering {
        if continueFinalMessage, addGenerationPrompt { throw fault("cannot continue the final message and add a generation prompt") }
        guard !messages.isEmpty else { throw fault("the conversation has no messages") }
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
            if error.kind == .raised { throw fault("the template rejects the conversation: \(error.reason) (line \(error.line))") }
            throw fault("\(error)")
        }
        if let end { rendering.text = try end.cut(rendering.text, in: self) }
        return rendering
    }

    /// An error that names this template.
    func fault(_ reason: String) -> DataError { .chat("\(name): \(reason)") }

    /// The message without null-valued keys, with its reasoning under the names that templates expect: `thinking` and
    /// `reasoning_content`.
    private func normalised(_ message: JSONValue) throws -> JSONValue {
        guard let members = message.members else { throw fault("every message must be an object") }
        var result: [JSONValue.Member] = []
        // if a key is repeated, the last value is used, in the position of the first
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
    /// Whether source, variables, date and name are equal.
    public static func == (left: ChatTemplate, right: ChatTemplate) -> Bool {
        left.source == right.source && left.variables == right.variables && left.date == right.date && left.name == right.name
    }

    private enum CodingKeys: String, CodingKey { case name, source, variables, date }

    /// Decodes and parses a template.
    /// - Throws: `DataError.chat` if the template is invalid, or a decoding error.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            values.decode(String.self, forKey: .source), name: values.decode(String.self, forKey: .name),
            variables: values.decode([String: String].self, forKey: .variables))
        date = try values.decodeIfPresent(Date.self, forKey: .date)
    }

    /// Encodes the template's source, name, variables and date.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encode(source, forKey: .source)
        try values.encode(variables, forKey: .variables)
        try values.encodeIfPresent(date, forKey: .date)
    }
}

/// The final message of a conversation that is to be continued. A marker appended to it shows where it ends in the
/// rendered text.
struct ContinuedMessage {
    /// The keys under which messages store the model's reasoning, in order of preference.
    static let reasoningFields = ["reasoning_content", "thinking", "reasoning"]
    private static let tag = "CONTINUE_FINAL_MESSAGE_TAG "
    private let text: String

    /// Appends the marker to the text of a message.
    /// - Throws: `DataError.chat` if the message has no text, or the template does not use the content of messages.
    init(_ message: inout JSONValue, in template: ChatTemplate) throws {
        guard let content = message["content"]?.unlessNull else { throw template.fault("the final message has no content to continue") }
        guard template.source.contains("content") else { throw template.fault("the template does not use \"content\"") }
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

    /// The rendered text up to the marker.
    /// - Throws: `DataError.chat` if the rendered text does not contain the message.
    func cut(_ rendered: String, in template: ChatTemplate) throws -> String {
        let mark = Self.tag.dropLast()
        guard rendered.contains(Self.trimmed(text)) || Self.trimmed(text).isEmpty, let place = rendered.range(of: mark, options: .backwards)
        else {
            throw template.fault("the rendered text does not contain the final message, so it cannot be continued")
        }
        let head = String(rendered[..<place.lowerBound])
        // if the template trims messages, the white space at the end of this message is trimmed too
        return rendered[place.upperBound...].hasPrefix(" ") ? head : Self.trimmed(head, start: false)
    }

    /// The text without white space at its end and, if `start` is true, at its start.
    private static func trimmed(_ text: String, start: Bool = true) -> String {
        var scalars = text.unicodeScalars[...]
        if start { while let first = scalars.first, JinjaTemplate.isSpace(first) { scalars.removeFirst() } }
        while let last = scalars.last, JinjaTemplate.isSpace(last) { scalars.removeLast() }
        return String(scalars)
    }
}
