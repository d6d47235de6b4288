import Formats

/// A row of a data set: the properties that selections use, and how it is decoded from a record of any file format.
public protocol CorpusRow: Sendable, Identifiable where ID == String {
    /// The topic, without a leading `r/`; empty for news.
    var subreddit: String { get }
    /// The text to summarise.
    var post: String { get }
    /// Whether IDs must be unique within a file.
    static var hasUniqueIDs: Bool { get }
    /// The value of the column that divides rows into distributions, if such a column was requested.
    var columnValue: String? { get set }
    /// Whether the row is conversational, so that a chat template makes its text.
    var holdsMessages: Bool { get }
    /// The plural noun for such rows in messages.
    static var plural: String { get }
    /// The decoder for rows of a shape; nil if the shape has none for this type.
    static func decoder(of shape: RowShape) -> RowFile<Self>.RowDecoder?
    /// Whether the record has a column of one of the published sets.
    static func resemblesPublished(_ record: Record) -> Bool

    /// Decodes a record with the published fields.
    /// - Parameters:
    ///   - record: The record.
    ///   - defaultID: The ID of a row without an ID field.
    /// - Throws: `RowProblem` if the record is invalid.
    init(_ record: Record, defaultID: String) throws
}

extension CorpusRow {
    /// Default: the row keeps no column value.
    public var columnValue: String? {
        get { nil }
        set {}
    }
    /// Default: not conversational.
    public var holdsMessages: Bool { false }
    /// Default: "rows".
    public static var plural: String { "rows" }
    /// Default: no shape has a decoder.
    public static func decoder(of shape: RowShape) -> RowFile<Self>.RowDecoder? { nil }
    /// Default: false.
    public static func resemblesPublished(_ record: Record) -> Bool { false }
}

extension SummaryExample: CorpusRow {
    /// Examples have unique IDs.
    public static var hasUniqueIDs: Bool { true }
    /// "examples".
    public static var plural: String { "examples" }
    /// Whether the example has a conversation.
    public var holdsMessages: Bool { conversation != nil }
    /// The shape's decoder for examples.
    public static func decoder(of shape: RowShape) -> RowFile<Self>.RowDecoder? { shape.example }
    /// Whether the record has a field of the published posts or news.
    public static func resemblesPublished(_ record: Record) -> Bool {
        ["subreddit", "title", "post", "summary", "article", "highlights"].contains(where: record.names)
    }

    /// Decodes a record with `id, subreddit, title, post, summary`; or the fields of a news set,
    /// `id, article, highlights`; or a conversational row: `messages`, or `prompt` and `completion`, each a list of
    /// messages.
    /// - Throws: `RowProblem` if the record is invalid.
    public init(_ record: Record, defaultID: String) throws {
        let id = try record.identifier("id") ?? defaultID
        if let example = try Self.conversational(record, id: id) {
            self = example
            return
        }
        if try record.has("article") && !record.has("post") {
            let summary = try record.has("summary") ? "summary" : "highlights"
            self.init(
                id: id, subreddit: "", title: "", post: try record.text("article"), summary: try record.text(summary),
                promptFormat: .cnnDailyMail)
            return
        }
        var format: PromptFormat?
        if let name = try record.optionalText("promptFormat") {
            format = PromptFormat(rawValue: name)
            if format == nil {
                throw RowProblem.wrongType(
                    field: "promptFormat",
                    expected: "\(PromptFormat.allCases.map(\.rawValue).joined(separator: ", ")) or a template with {post}",
                    got: "\"\(name)\"")
            }
        }
        self.init(
            id: id, subreddit: try record.text("subreddit"), title: try record.text("title"),
            post: try record.text("post"),
            summary: try record.text("summary"), promptFormat: format)
    }
}

extension Comparison: CorpusRow {
    /// False: a post can have many comparisons, and they carry the post's ID.
    public static var hasUniqueIDs: Bool { false }
    /// "comparisons".
    public static var plural: String { "comparisons" }
    /// Whether the comparison has conversations.
    public var holdsMessages: Bool { conversations != nil }
    /// The shape's decoder for comparisons.
    public static func decoder(of shape: RowShape) -> RowFile<Self>.RowDecoder? { shape.comparison }
    /// Whether the record has a field of the published comparisons.
    public static func resemblesPublished(_ record: Record) -> Bool {
        ["info", "summaries", "choice"].contains(where: record.names) || record.columnNames.contains { $0.hasPrefix("info.") }
    }

    /// Decodes a record with `info.{id, post, title, subreddit}` or `info.{id, article}`, `summaries[0..1].text`,
    /// `choice` and, optionally, `batch`. Summaries may also be one object of lists, `summaries.text[0..1]`, as some
    /// exports have them. A conversational row has `chosen` and `rejected`, each a list of messages, and optionally
    /// `prompt`.
    /// - Throws: `RowProblem` if the record is invalid.
    public init(_ record: Record, defaultID: String) throws {
        let id = try record.identifier("info.id") ?? record.identifier("id") ?? defaultID
        if let comparison = try Self.conversational(record, id: id) {
            self = comparison
            return
        }
        let isNews = try record.has("info.article") && !record.has("info.post")
        let isColumns = try record.has("summaries.text") || record.has("summaries.text.0")
        if let count = try record.count(isColumns ? "summaries.text" : "summaries"), count != 2 {
            throw RowProblem.wrongNumberOfSummaries(count)
        }
        let summaries = try (0..<2).map { try record.text(isColumns ? "summaries.text.\($0)" : "summaries.\($0).text") }
        let choice = try record.integer("choice")
        guard choice == 0 || choice == 1 else { throw RowProblem.choiceOutOfRange(choice) }
        self.init(
            id: id, subreddit: isNews ? "" : try record.text("info.subreddit"),
            title: isNews ? "" : try record.text("info.title"),
            post: try record.text(isNews ? "info.article" : "info.post"), summaries: summaries, choice: choice,
            batch: try record.optionalText("batch"), promptFormat: isNews ? .cnnDailyMail : nil)
    }
}
