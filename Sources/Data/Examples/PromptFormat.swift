/// How a post becomes the prompt that a model continues: one of the published ways, or a template of one's own.
///
///     let format = PromptFormat("Ticket: {post}\nIn one line:")
///
/// `{post}`, `{title}` and `{subreddit}` stand for the example's fields; all else is taken as it is. In JSON, a published way is its name and
/// any other its template.
public struct PromptFormat: RawRepresentable, Codable, Sendable, Hashable, CaseIterable {
    /// The name of a published way, or the template.
    public let rawValue: String

    /// `SUBREDDIT: r/{subreddit}\nTITLE: {title}\nPOST: {post}\nTL;DR:`, where `\n` is a newline; there is no trailing space.
    public static let tldr = PromptFormat(named: "tldr")
    /// `ARTICLE: {post}\nTL;DR:`
    public static let cnnDailyMail = PromptFormat(named: "cnnDailyMail")
    /// The post alone.
    package static let contents = PromptFormat(named: "{post}")
    /// The published ways.
    public static let allCases = [tldr, cnnDailyMail]

    private static let templates = [
        "tldr": "SUBREDDIT: r/{subreddit}\nTITLE: {title}\nPOST: {post}\nTL;DR:", "cnnDailyMail": "ARTICLE: {post}\nTL;DR:",
    ]

    private init(named name: String) { rawValue = name }

    /// A way by its name, or by a template.
    /// - Returns: nil for a text that is no name and has no `{post}`.
    public init?(rawValue: String) {
        guard Self.templates[rawValue] != nil || rawValue.contains("{post}") else { return nil }
        self.rawValue = rawValue
    }

    /// A way by its template.
    public init(_ template: String) {
        precondition(template.contains("{post}"), "the template \"\(template)\" has no {post}")
        rawValue = template
    }

    /// What prompts are made of.
    public var template: String { Self.templates[rawValue] ?? rawValue }

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
        var prompt = ""
        var rest = Substring(template)
        // in one pass: what a post says in braces is its own
        while let brace = rest.firstIndex(of: "{") {
            prompt += rest[..<brace]
            rest = rest[brace...]
            if let (name, value) = [("{post}", post), ("{title}", title), ("{subreddit}", subreddit)].first(where: { rest.hasPrefix($0.0) })
            {
                prompt += value
                rest = rest.dropFirst(name.count)
            } else {
                prompt.append(rest.removeFirst())
            }
        }
        return prompt + rest
    }
}
