public import Formats

/// A prompt and the target tokens to learn after it. The model reads `prompt + target`; only `target` contributes to
/// the loss. Its last token is normally the end-of-sequence token.
public struct TokenisedExample: Sendable, Equatable, Identifiable {
    /// The ID of the source row.
    public var id: String
    /// The tokens before the target, including a beginning-of-sequence token if the tokenizer has one.
    public var prompt: [Int32]
    /// The tokens to learn.
    public var target: [Int32]

    /// Creates an example from its parts.
    public init(id: String, prompt: [Int32], target: [Int32]) {
        self.id = id
        self.prompt = prompt
        self.target = target
    }

    /// The prompt followed by the target.
    public var tokens: [Int32] { prompt + target }
}

/// A prompt for generation, with the texts that rewards and tables need.
public struct TokenisedPrompt: Sendable, Equatable, Identifiable {
    /// The ID of the source row.
    public var id: String
    /// The tokens that the policy continues.
    public var tokens: [Int32]
    /// The whole prompt as text, even if `tokens` are truncated.
    public var query: String
    /// The reference summary; empty if there is none.
    public var reference: String
    /// Whether `tokens` lack the beginning of `query`.
    public var isTruncated: Bool
    /// The messages of the prompt, if it is conversational.
    public var messages: [JSONValue]?

    /// Creates a prompt from its parts.
    public init(id: String, tokens: [Int32], query: String, reference: String, isTruncated: Bool, messages: [JSONValue]? = nil) {
        self.id = id
        self.tokens = tokens
        self.query = query
        self.reference = reference
        self.isTruncated = isTruncated
        self.messages = messages
    }
}

/// A tokenised comparison. Both sides begin with `prompt`, so that it can be computed once.
public struct TokenisedComparison: Sendable, Equatable, Identifiable {
    /// The ID of the source row.
    public var id: String
    /// The tokens before the summaries, including a beginning-of-sequence token if the tokenizer has one.
    public var prompt: [Int32]
    /// Two non-empty summaries. Each ends with the end-of-sequence token, except sampled ones that were generated
    /// without it. The sequence of a side is `prompt + summaries[i]`.
    public var summaries: [[Int32]]
    /// The index of the preferred summary: 0 or 1.
    public var choice: Int
    /// The weight of the pair in the loss.
    public var weight: Double
    /// Whether this is one labelled answer rather than a pair. Both summaries are then that answer; it is desirable if
    /// `choice` is 0.
    public var isSingle = false

    /// Creates a comparison from its parts.
    public init(id: String, prompt: [Int32], summaries: [[Int32]], choice: Int, weight: Double = 1) {
        self.id = id
        self.prompt = prompt
        self.summaries = summaries
        self.choice = choice
        self.weight = weight
    }
}
