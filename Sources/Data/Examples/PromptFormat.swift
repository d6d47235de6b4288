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
    /// The post alone, which the answer follows as it is, without a space of ours: a prompt that is written already.
    public static let verbatim = PromptFormat(named: "verbatim")
    /// Alpaca's prompt for an instruction, `{post}`, with an input, `{title}`; the answer follows as it is.
    public static let alpaca = PromptFormat(named: "alpaca")
    /// Alpaca's prompt for an instruction, `{post}`, alone; the answer follows as it is.
    public static let alpacaWithoutInput = PromptFormat(named: "alpacaWithoutInput")
    /// The published ways.
    public static let allCases = [tldr, cnnDailyMail, alpaca, alpacaWithoutInput, verbatim]

    private static let templates = [
        "tldr": "SUBREDDIT: r/{subreddit}\nTITLE: {title}\nPOST: {post}\nTL;DR:", "cnnDailyMail": "ARTICLE: {post}\nTL;DR:",
        "verbatim": "{post}",
        "alpaca": "Below is an instruction that describes a task, paired with an input that provides further context. "
            + "Write a response that appropriately completes the request.\n\n"
            + "### Instruction:\n{post}\n\n### Input:\n{title}\n\n### Response:",
        "alpacaWithoutInput": "Below is an instruction that describes a task. "
            + "Write a response that appropriately completes the request.\n\n### Instruction:\n{post}\n\n### Response:",
    ]

    /// Whether the answer stands right behind the prompt. Otherwise one space is between them.
    public var joinsDirectly: Bool { [Self.verbatim, .alpaca, .alpacaWithoutInput].contains(self) }

    /// Prompt and summary as one text.
    public func text(of example: SummaryExample) -> String {
        prompt(for: example) + ((example.promptFormat ?? self).joinsDirectly ? "" : " ") + example.summary
    }

    /// The instruction and its input in a prompt that one of Alpaca's ways has made; nil for any other text.
    public static func alpacaInstruction(in prompt: String) -> (instruction: String, input: String)? {
        func between(_ template: PromptFormat) -> Substring? {
            let parts = template.template.split(separator: "{post}", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, prompt.hasPrefix(first), prompt.hasSuffix("\n\n### Response:") else { return nil }
            return prompt.dropFirst(first.count).dropLast("\n\n### Response:".count)
        }
        if let text = between(.alpacaWithoutInput) { return (String(text), "") }
        guard let text = between(.alpaca), let mark = text.firstRange(of: "\n\n### Input:\n") else { return nil }
        return (String(text[..<mark.lowerBound]), String(text[mark.upperBound...]))
    }

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
