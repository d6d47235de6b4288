/// How the texts of conversational rows are made.
public enum ChatFormat: Codable, Sendable, Equatable {
    /// Conversational rows are rejected; the value is the reason, for the error message.
    case unavailable(String)
    /// A chat template renders the messages.
    case template(ChatTemplate)
    /// The texts of the messages are used without a template: the prompt's messages joined by newlines, then the
    /// response.
    case contents

    /// No chat template is set: conversational rows are rejected.
    public static let none = ChatFormat.unavailable("no chat template is given")

    /// The template to render a conversational row with; nil if the texts of its messages are used without a template.
    /// - Parameter id: The row's ID, for the error.
    /// - Throws: `DataError.chat` if conversational rows are rejected.
    func template(for id: String) throws -> ChatTemplate? {
        switch self {
        case .template(let template): return template
        case .contents: return nil
        case .unavailable(let reason):
            throw DataError.chat(
                "row \(id) has messages, but \(reason); pass --chat-template FILE, or --chat-template none to join the messages' texts"
            )
        }
    }
}

extension DataError {
    /// Runs `body` for a row. A `DataError.chat` that it throws is thrown again with the row's ID.
    static func naming<Result>(row id: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch DataError.chat(let reason) {
            throw DataError.chat("row \(id): \(reason)")
        }
    }
}
