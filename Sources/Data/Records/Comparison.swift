import Formats

/// Two summaries of one post, and which of them was preferred.
///
/// Its JSON is the shape of the published comparisons:
/// `{"info": {"id", "post", "title", "subreddit"}, "summaries": [{"text"}, {"text"}], "choice": 0 or 1}`.
/// A row about a news article has `info.article` in place of `info.post`, and neither title nor subreddit.
public struct Comparison: Codable, Sendable, Equatable, Identifiable {
    /// What the row is called in its file.
    public var id: String
    /// The topic, without a leading `r/`.
    public var subreddit: String
    /// The title of the post.
    public var title: String
    /// The text that is summarised.
    public var post: String
    /// Exactly two.
    public var summaries: [String]
    /// The index of the preferred summary: 0 or 1.
    public var choice: Int
    /// The batch of the collection that it came with, if the set says so; comparisons of news have `cnndm` in it.
    public var batch: String?
    /// How the post becomes a prompt, where it differs from the rest of its set.
    public var promptFormat: PromptFormat?
    /// Prompt and response of either side in messages, where the row is conversational.
    public var conversations: [Conversation]?
    /// The tokens of both summaries with their ends, where they are known, as those of sampled ones are; in no file.
    public var summaryTokens: [[Int32]]?
    /// Whether a model has written the summaries, behind the prompt as it is in `post`; in no file.
    public var isSampled = false
    /// What a loss of the pair is multiplied by; in no file.
    public var weight = 1.0
    /// Whether the row is one answer with a label rather than a pair: both summaries are it, and it is wanted if `choice` is 0; in no file.
    public var isSingle = false
    /// What stands in the column that divides the rows into distributions, where one does; in no file.
    public var columnValue: String?

    /// - Precondition: Two summaries; `choice` is 0 or 1.
    public init(
        id: String, subreddit: String, title: String, post: String, summaries: [String], choice: Int,
        batch: String? = nil,
        promptFormat: PromptFormat? = nil
    ) {
        precondition(summaries.count == 2, "a comparison has 2 summaries, not \(summaries.count)")
        precondition(choice == 0 || choice == 1, "choice is 0 or 1, not \(choice)")
        self.id = id
        self.subreddit = subreddit
        self.title = title
        self.post = post
        self.summaries = summaries
        self.choice = choice
        self.batch = batch
        self.promptFormat = promptFormat
    }

    /// The preferred summary.
    public var chosen: String { summaries[choice] }
    /// The other one.
    public var rejected: String { summaries[1 - choice] }

    private enum CodingKeys: String, CodingKey { case info, summaries, choice, batch, conversations, promptFormat }
    private enum InfoKeys: String, CodingKey { case id, subreddit, title, post, article }
    private struct Text: Codable { var text: String }

    /// - Throws: `DecodingError`, or `RowProblem` if the numbers are out of range.
    public init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: CodingKeys.self)
        let info = try row.nestedContainer(keyedBy: InfoKeys.self, forKey: .info)
        id = try info.decode(String.self, forKey: .id)
        if let article = try info.decodeIfPresent(String.self, forKey: .article) {
            post = article
            promptFormat = .cnnDailyMail
        } else {
            promptFormat = try row.decodeIfPresent(PromptFormat.self, forKey: .promptFormat)
            post = try info.decode(String.self, forKey: .post)
        }
        subreddit = try info.decodeIfPresent(String.self, forKey: .subreddit) ?? ""
        title = try info.decodeIfPresent(String.self, forKey: .title) ?? ""
        summaries = try row.decode([Text].self, forKey: .summaries).map(\.text)
        choice = try row.decode(Int.self, forKey: .choice)
        batch = try row.decodeIfPresent(String.self, forKey: .batch)
        conversations = try row.decodeIfPresent([Conversation].self, forKey: .conversations)
        if conversations != nil { promptFormat = .contents }
        guard summaries.count == 2 else { throw RowProblem.wrongNumberOfSummaries(summaries.count) }
        guard choice == 0 || choice == 1 else { throw RowProblem.choiceOutOfRange(choice) }
    }

    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        var info = row.nestedContainer(keyedBy: InfoKeys.self, forKey: .info)
        try info.encode(id, forKey: .id)
        if promptFormat == .cnnDailyMail {
            try info.encode(post, forKey: .article)
        } else {
            try info.encode(subreddit, forKey: .subreddit)
            try info.encode(title, forKey: .title)
            try info.encode(post, forKey: .post)
        }
        try row.encode(summaries.map(Text.init), forKey: .summaries)
        try row.encode(choice, forKey: .choice)
        try row.encodeIfPresent(batch, forKey: .batch)
        if promptFormat != .cnnDailyMail, conversations == nil { try row.encodeIfPresent(promptFormat, forKey: .promptFormat) }
        try row.encodeIfPresent(conversations, forKey: .conversations)
    }
}
