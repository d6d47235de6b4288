import Formats

/// Two summaries of a post, and which of them was preferred.
///
/// The JSON form is that of the published comparisons:
///
/// ```
/// {"info": {"id", "post", "title", "subreddit"}, "summaries": [{"text"}, {"text"}], "choice": 0 or 1}
/// ```
///
/// A row about a news article has `info.article` instead of `info.post`, and neither title nor subreddit.
public struct Comparison: Codable, Sendable, Equatable, Identifiable {
    /// The ID of the row in its file.
    public var id: String
    /// The topic, without a leading `r/`.
    public var subreddit: String
    /// The title of the post.
    public var title: String
    /// The text to summarise.
    public var post: String
    /// The two summaries.
    public var summaries: [String]
    /// The index of the preferred summary: 0 or 1.
    public var choice: Int
    /// The batch of the data collection, if the set has one. Comparisons about news have `cnndm` in it.
    public var batch: String?
    /// The prompt format, if it differs from that of the rest of the set.
    public var promptFormat: PromptFormat?
    /// The prompt and the response of each side as messages, if the row is conversational.
    public var conversations: [Conversation]?
    /// The tokens of both summaries including their ends, if known, as for sampled summaries. Not stored in files.
    public var summaryTokens: [[Int32]]?
    /// Whether a model generated the summaries, as continuations of the prompt. Not stored in files.
    public var isSampled = false
    /// The weight of the pair in the loss. Not stored in files.
    public var weight = 1.0
    /// Whether this is one labelled answer rather than a pair. Both summaries are then that answer; it is desirable if
    /// `choice` is 0. Not stored in files.
    public var isSingle = false
    /// The value of the column that divides rows into distributions, if such a column was requested. Not stored in
    /// files.
    public var columnValue: String?

    /// Creates a comparison.
    /// - Precondition: There are two summaries, and `choice` is 0 or 1.
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
    /// The other summary.
    public var rejected: String { summaries[1 - choice] }

    private enum CodingKeys: String, CodingKey { case info, summaries, choice, batch, conversations, promptFormat }
    private enum InfoKeys: String, CodingKey { case id, subreddit, title, post, article }
    private struct Text: Codable { var text: String }

    /// Decodes a comparison.
    /// - Throws: `DecodingError`, or `RowProblem` if there are not two summaries or `choice` is not 0 or 1.
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

    /// Encodes the comparison in the form of the published comparisons.
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
