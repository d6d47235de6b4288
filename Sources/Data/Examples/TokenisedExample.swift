public import Formats

/// A prompt and the tokens to learn after it. The model reads `prompt + target`; `target` alone is trained on, its last
/// token is the end of sequence.
public struct TokenisedExample: Sendable, Equatable, Identifiable {
    /// The row that it comes from.
    public var id: String
    /// What the model reads first; with the token that begins sequences, where the tokenizer has one.
    public var prompt: [Int32]
    /// What is learned.
    public var target: [Int32]

    /// An example from its parts.
    public init(id: String, prompt: [Int32], target: [Int32]) {
        self.id = id
        self.prompt = prompt
        self.target = target
    }

    /// Prompt and target in one.
    public var tokens: [Int32] { prompt + target }
}

/// A prompt to continue, with the texts that rewards and tables need.
public struct TokenisedPrompt: Sendable, Equatable, Identifiable {
    /// The row that it comes from.
    public var id: String
    /// What the policy reads.
    public var tokens: [Int32]
    /// The whole prompt as text, whether or not it was truncated.
    public var query: String
    /// The reference summary; empty where there is none.
    public var reference: String
    /// Whether `tokens` lack the beginning of `query`.
    public var isTruncated: Bool
    /// The messages that are answered, where the prompt is a conversation.
    public var messages: [JSONValue]?

    /// A prompt from its parts.
    public init(id: String, tokens: [Int32], query: String, reference: String, isTruncated: Bool, messages: [JSONValue]? = nil) {
        self.id = id
        self.tokens = tokens
        self.query = query
        self.reference = reference
        self.isTruncated = isTruncated
        self.messages = messages
    }
}

/// A comparison in tokens: both sides begin with `prompt`, so that it needs to be read only once.
public struct TokenisedComparison: Sendable, Equatable, Identifiable {
    /// The row that it comes from.
    public var id: String
    /// What the model reads first; with the token that begins sequences, where the tokenizer has one.
    public var prompt: [Int32]
    /// Two, neither of them empty; each ends with the end of sequence, but for sampled ones that did not. A side's text is
    /// `prompt + summaries[i]`.
    public var summaries: [[Int32]]
    /// The index of the preferred summary: 0 or 1.
    public var choice: Int
    /// What a loss of the pair is multiplied by.
    public var weight: Double
    /// Whether it is one answer with a label rather than a pair: both summaries are it, and it is wanted if `choice` is 0.
    public var isSingle = false

    /// A comparison from its parts.
    public init(id: String, prompt: [Int32], summaries: [[Int32]], choice: Int, weight: Double = 1) {
        self.id = id
        self.prompt = prompt
        self.summaries = summaries
        self.choice = choice
        self.weight = weight
    }
}
