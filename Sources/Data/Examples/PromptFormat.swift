/// How a post becomes the prompt that a model continues. `\n` is a newline; there is no trailing space.
public enum PromptFormat: String, Codable, Sendable, CaseIterable {
    /// `SUBREDDIT: r/{subreddit}\nTITLE: {title}\nPOST: {post}\nTL;DR:`
    case tldr
    /// `ARTICLE: {article}\nTL;DR:`
    case cnnDailyMail

    /// The prompt for a post with its summary, in the example's own format if it has one.
    public func prompt(for example: SummaryExample) -> String {
        (example.promptFormat ?? self).prompt(
            subreddit: example.subreddit, title: example.title, post: example.post)
    }

    /// The prompt for the post of a comparison, in its own format if it has one.
    public func prompt(for comparison: Comparison) -> String {
        (comparison.promptFormat ?? self).prompt(
            subreddit: comparison.subreddit, title: comparison.title, post: comparison.post)
    }

    /// The prompt from its parts; `cnnDailyMail` uses the post alone.
    public func prompt(subreddit: String, title: String, post: String) -> String {
        switch self {
        case .tldr: "SUBREDDIT: r/\(subreddit)\nTITLE: \(title)\nPOST: \(post)\nTL;DR:"
        case .cnnDailyMail: "ARTICLE: \(post)\nTL;DR:"
        }
    }
}
