/// A post with a one-line summary: one row of a summarisation set.
///
/// For news, `post` is the article, and `subreddit` and `title` are empty.
public struct SummaryExample: Codable, Sendable, Equatable, Identifiable {
    /// The ID of the row in its file.
    public var id: String
    /// The topic, without a leading `r/`.
    public var subreddit: String
    /// The title of the post.
    public var title: String
    /// The text to summarise.
    public var post: String
    /// The reference summary.
    public var summary: String
    /// The prompt format, if it differs from the corpus's format.
    public var promptFormat: PromptFormat?
    /// The messages of a conversational row, which a chat template renders to prompt and target; nil for any other row.
    public var conversation: Conversation?
    /// The value of the column that divides rows into distributions, if such a column was requested. Not stored in
    /// files.
    public var columnValue: String?

    private enum CodingKeys: String, CodingKey { case id, subreddit, title, post, summary, promptFormat, conversation }

    /// Creates a row from its fields.
    public init(
        id: String, subreddit: String, title: String, post: String, summary: String, promptFormat: PromptFormat? = nil
    ) {
        self.id = id
        self.subreddit = subreddit
        self.title = title
        self.post = post
        self.summary = summary
        self.promptFormat = promptFormat
    }
}
