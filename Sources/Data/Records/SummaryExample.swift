/// A post with a one-line summary: one row of a summarisation set.
///
/// For news articles, `post` is the article and `subreddit` and `title` are empty.
public struct SummaryExample: Codable, Sendable, Equatable, Identifiable {
    /// What the row is called in its file.
    public var id: String
    /// The topic, without a leading `r/`.
    public var subreddit: String
    /// The title of the post.
    public var title: String
    /// The text that is summarised.
    public var post: String
    /// The reference summary.
    public var summary: String
    /// How this post becomes a prompt, where it differs from the rest of its corpus; nil for the corpus's own way.
    public var promptFormat: PromptFormat?
    /// The messages of a conversational row, which a chat template makes the prompt and the target of; nil for any other row.
    public var conversation: Conversation?
    /// What stands in the column that divides the rows into distributions, where one does; in no file.
    public var columnValue: String?

    private enum CodingKeys: String, CodingKey { case id, subreddit, title, post, summary, promptFormat, conversation }

    /// A row from its fields.
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
