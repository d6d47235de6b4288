import Formats

/// A response of a chat completion service: the first choice, and the token counts that the service reports.
public struct ChatReply: Codable, Sendable, Equatable {
    /// A candidate for the first token of the answer.
    public struct Token: Codable, Sendable, Equatable {
        /// The text of the token.
        public var token: String
        /// The log-probability of the token.
        public var logProbability: Double

        /// A candidate token.
        public init(token: String, logProbability: Double) {
            self.token = token
            self.logProbability = logProbability
        }
    }

    /// The text of the answer; nil if there is none.
    public var text: String?
    /// The reason why the text ends, such as `stop`, `length` or `content_filter`.
    public var finish: String?
    /// The candidates for the first token; nil if no log-probabilities were returned.
    public var firstToken: [Token]?
    /// The number of prompt tokens; nil if the service reports none or an invalid number.
    public var promptTokens: Int?
    /// The number of prompt tokens that the service took from its cache.
    public var cachedTokens: Int?
    /// The number of answer tokens.
    public var completionTokens: Int?
    /// The time from the request to the response in seconds.
    public var seconds: Double?
    /// The verdict that was read before parts of the texts were redacted, if it can no longer be read from them.
    package var reading: Reading?

    /// A verdict that was read from a response.
    package struct Reading: Codable, Sendable, Equatable {
        /// The labels of the two texts.
        package var labels: JudgeLabels
        /// How much the text shown first is preferred, as in ``JudgeOpinion/shareOfFirst``.
        package var shareOfFirst: Double?
        /// Why there is no verdict; nil if there is one.
        package var omission: JudgeOmission?
    }

    /// A response with the given parts.
    public init(text: String?, finish: String? = nil, firstToken: [Token]? = nil, promptTokens: Int? = nil, completionTokens: Int? = nil) {
        self.text = text
        self.finish = finish
        self.firstToken = firstToken
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
    }

    /// Whether the text was truncated at its maximum length.
    public var isCut: Bool { finish == "length" }

    /// Why a response body is invalid; the message contains nothing from the body.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// What is wrong, as the rest of a sentence that begins with "it" or names a field.
        public var description: String
    }

    /// Parses the body of a response.
    /// - Throws: ``Problem`` if the body is not a valid chat completion.
    public init(body: [UInt8]) throws(Problem) {
        guard body.contains(where: { !OneLine.isSpace($0) }) else { throw Problem(description: "it is empty") }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: body, [.byteOrderMark, .hugeNumbers])
        } catch {
            throw Problem(description: "it is not JSON")
        }
        if value["error"]?.unlessNull != nil, value["choices"] == nil {
            throw Problem(description: "it contains an error despite a success status")
        }
        guard let choices = value["choices"]?.array else { throw Problem(description: "\"choices\" is missing; expected \(Self.shape)") }
        guard let choice = choices.first else { throw Problem(description: "\"choices\" is empty") }
        guard let message = choice["message"], message.members != nil else {
            throw Problem(description: "\"choices[0].message\" is missing; expected \(Self.shape)")
        }
        text = try Self.text(of: message["content"])
        finish = choice["finish_reason"]?.string
        firstToken = try Self.firstToken(in: choice["logprobs"]?.unlessNull)
        let usage = value["usage"]
        promptTokens = Self.count(usage?["prompt_tokens"])
        cachedTokens = Self.count(usage?["prompt_tokens_details"]?["cached_tokens"])
        completionTokens = Self.count(usage?["completion_tokens"])
    }

    private static let shape = "{\"choices\": [{\"message\": {\"content\"}, \"finish_reason\"}], \"usage\"}"

    /// The text of a message's content: a string, or the texts of its parts joined.
    private static func text(of content: JSONValue?) throws(Problem) -> String? {
        switch content?.unlessNull {
        case nil: return nil
        case .string(let text)?: return text
        case .array(let parts)?:
            let texts = parts.compactMap { $0["text"]?.string }
            return texts.isEmpty ? nil : texts.joined()
        default: throw Problem(description: "\"choices[0].message.content\" is not text")
        }
    }

    /// The candidates for the first token: from `content[0].top_logprobs` in the format of chat completions, or from a map in
    /// that of text completions.
    private static func firstToken(in value: JSONValue?) throws(Problem) -> [Token]? {
        guard let value else { return nil }
        if let first = value["content"]?.array?.first {
            var tokens: [Token] = []
            for entry in (first["top_logprobs"]?.array ?? []) + [first] {
                guard let text = entry["token"]?.string else { throw Problem(description: "a token of \"logprobs\" has no text") }
                // the sampled token may or may not be among the most probable ones
                if tokens.contains(where: { $0.token == text }) { continue }
                tokens.append(Token(token: text, logProbability: try number(entry["logprob"])))
            }
            return tokens
        }
        if let map = value["top_logprobs"]?.array?.first?.members {
            var tokens: [Token] = []
            for member in map { tokens.append(Token(token: member.key, logProbability: try number(member.value))) }
            return tokens
        }
        return nil
    }

    private static func number(_ value: JSONValue?) throws(Problem) -> Double {
        // rounding may leave the log-probability of a certain token slightly above 0
        guard let number = value?.double, number <= 0.01 else {
            throw Problem(description: "a \"logprob\" must be a number of at most 0")
        }
        return min(number, 0)
    }

    /// A non-negative integer; nil for anything else.
    private static func count(_ value: JSONValue?) -> Int? { value?.int.flatMap { $0 >= 0 ? $0 : nil } }
}
