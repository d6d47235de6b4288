/// A post with a one-line summary: one row of a summarisation set.
///
/// For news articles, `post` is the article and `subreddit` and `title` are empty.
public struct SummaryExample: Codable, Sendable, Equatable, Identifiable {
    public var id: String
    /// The topic, without a leading `r/`.
    public var subreddit: String
    public var title: String
    public var post: String
    public var summary: String
    /// How this post becomes a prompt, where it differs from the rest of its corpus; nil for the corpus's own way.
    public var promptFormat: PromptFormat?

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
