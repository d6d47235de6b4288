/// What becomes of conversational rows.
public enum ChatFormat: Codable, Sendable, Equatable {
    /// They are refused, and why.
    case unavailable(String)
    /// A template makes their texts.
    case template(ChatTemplate)
    /// The texts of their messages are taken as any post and summary: those before the response in lines, then the response.
    case contents

    /// Without a setting of templates.
    public static let none = ChatFormat.unavailable("no chat template is given")

    /// The template for a row that needs one; nil where its texts are taken without.
    /// - Throws: `DataError.chat`.
    func template(for id: String) throws -> ChatTemplate? {
        switch self {
        case .template(let template): return template
        case .contents: return nil
        case .unavailable(let reason):
            throw DataError.chat(
                "row \(id) holds messages, but \(reason); name one with --chat-template FILE, or join the messages' texts with --chat-template none"
            )
        }
    }
}

extension DataError {
    /// Does something with a row; what is wrong with its conversation is said with the row's id.
    static func naming<Result>(row id: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch DataError.chat(let reason) {
            throw DataError.chat("row \(id): \(reason)")
        }
    }
}
