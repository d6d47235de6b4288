/// How a post becomes the prompt that a model continues: one of the built-in formats, or a custom template.
///
/// ```swift
/// let format = PromptFormat("Ticket: {post}\nIn one line:")
/// ```
///
/// `{post}`, `{title}` and `{subreddit}` are replaced by the example's fields; all other text is literal. In JSON, a
/// built-in format is represented by its name, and a custom one by its template.
public struct PromptFormat: RawRepresentable, Codable, Sendable, Hashable, CaseIterable {
    /// The name of a built-in format, or the template.
    public let rawValue: String

    /// `SUBREDDIT: r/{subreddit}\nTITLE: {title}\nPOST: {post}\nTL;DR:`, where `\n` is a newline. There is no trailing
    /// space.
    public static let tldr = PromptFormat(named: "tldr")
    /// `ARTICLE: {post}\nTL;DR:`
    public static let cnnDailyMail = PromptFormat(named: "cnnDailyMail")
    /// The post alone; one space separates it from the response.
    package static let contents = PromptFormat(named: "{post}")
    /// The post alone, with the response directly after it and no space between: for prompts that are already complete.
    public static let verbatim = PromptFormat(named: "verbatim")
    /// The Alpaca prompt for an instruction (`{post}`) with an input (`{title}`). The response follows directly.
    public static let alpaca = PromptFormat(named: "alpaca")
    /// The Alpaca prompt for an instruction (`{post}`) without an input. The response follows directly.
    public static let alpacaWithoutInput = PromptFormat(named: "alpacaWithoutInput")
    /// The built-in formats that can be selected by name.
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

    /// Whether the response directly follows the prompt. If false, one space separates them.
    public var joinsDirectly: Bool { [Self.verbatim, .alpaca, .alpacaWithoutInput].contains(self) }

    /// The prompt and the summary as one text, in the example's own format if it has one.
    public func text(of example: SummaryExample) -> String {
        prompt(for: example) + ((example.promptFormat ?? self).joinsDirectly ? "" : " ") + example.summary
    }

    /// Extracts the instruction and the input from a prompt in one of the Alpaca formats; nil for any other text.
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

    /// Creates a format from the name of a built-in format, or from a template.
    /// - Returns: nil for a text that is not a name and does not contain `{post}`.
    public init?(rawValue: String) {
        guard Self.templates[rawValue] != nil || rawValue.contains("{post}") else { return nil }
        self.rawValue = rawValue
    }

    /// Creates a format from a template.
    /// - Precondition: The template contains `{post}`.
    public init(_ template: String) {
        precondition(template.contains("{post}"), "the template \"\(template)\" has no {post}")
        rawValue = template
    }

    /// The template of the prompt, with its placeholders.
    public var template: String { Self.templates[rawValue] ?? rawValue }

    /// The prompt for an example, in its own format if it has one.
    public func prompt(for example: SummaryExample) -> String {
        (example.promptFormat ?? self).prompt(
            subreddit: example.subreddit, title: example.title, post: example.post)
    }

    /// The prompt for a comparison, in its own format if it has one.
    public func prompt(for comparison: Comparison) -> String {
        (comparison.promptFormat ?? self).prompt(
            subreddit: comparison.subreddit, title: comparison.title, post: comparison.post)
    }

    /// The prompt for the given fields. Fields without a placeholder in the template are ignored.
    public func prompt(subreddit: String, title: String, post: String) -> String {
        var prompt = ""
        var rest = Substring(template)
        // one pass, so that placeholders inside a field's value are not replaced
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
