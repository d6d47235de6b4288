import Formats

/// A row of a data set: what splits look at, and how it is read from a file of any format.
public protocol CorpusRow: Sendable, Identifiable where ID == String {
    /// The topic, without a leading `r/`; empty for news.
    var subreddit: String { get }
    /// The text that is summarised.
    var post: String { get }
    /// Whether two rows of one file may not have the same id.
    static var hasUniqueIDs: Bool { get }
    /// What stands in the column that divides the rows into distributions, where one does.
    var columnValue: String? { get set }
    /// Whether a chat template makes its text.
    var holdsMessages: Bool { get }
    /// What several rows are called in messages.
    static var plural: String { get }
    /// What makes such rows of a shape; nil where it has none.
    static func decoder(of shape: RowShape) -> RowFile<Self>.RowDecoder?
    /// Whether some column of a row is one of the published sets'.
    static func resemblesPublished(_ record: Record) -> Bool

    /// Reads the published fields.
    /// - Parameter defaultID: The id of a row whose file has no ids.
    /// - Throws: `RowProblem`.
    init(_ record: Record, defaultID: String) throws
}

extension CorpusRow {
    public var columnValue: String? {
        get { nil }
        set {}
    }
    public var holdsMessages: Bool { false }
    public static var plural: String { "rows" }
    public static func decoder(of shape: RowShape) -> RowFile<Self>.RowDecoder? { nil }
    public static func resemblesPublished(_ record: Record) -> Bool { false }
}

extension SummaryExample: CorpusRow {
    public static var hasUniqueIDs: Bool { true }
    public static var plural: String { "examples" }
    public var holdsMessages: Bool { conversation != nil }
    public static func decoder(of shape: RowShape) -> RowFile<Self>.RowDecoder? { shape.example }
    public static func resemblesPublished(_ record: Record) -> Bool {
        ["subreddit", "title", "post", "summary", "article", "highlights"].contains(where: record.names)
    }

    /// Reads `id, subreddit, title, post, summary`; the fields of a news set: `id, article, highlights`; or a conversational row:
    /// `messages`, or `prompt` and `completion`, each a list of messages.
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
    /// One post has many comparisons, and they carry the post's id.
    public static var hasUniqueIDs: Bool { false }
    public static var plural: String { "comparisons" }
    public var holdsMessages: Bool { conversations != nil }
    public static func decoder(of shape: RowShape) -> RowFile<Self>.RowDecoder? { shape.comparison }
    public static func resemblesPublished(_ record: Record) -> Bool {
        ["info", "summaries", "choice"].contains(where: record.names) || record.columnNames.contains { $0.hasPrefix("info.") }
    }

    /// Reads `info.{id, post, title, subreddit}` or `info.{id, article}`, `summaries[0..1].text`, `choice` and, if it is
    /// there, `batch`. Summaries may also be one object of lists, `summaries.text[0..1]`, as some exports have them. A conversational row
    /// has `chosen` and `rejected`, lists of messages, and mostly `prompt`.
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
