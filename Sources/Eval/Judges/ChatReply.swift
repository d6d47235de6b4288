import Formats

/// What came back of a chat: the first choice, and the tokens that the service has counted.
public struct ChatReply: Codable, Sendable, Equatable {
    /// A token that might have come first.
    public struct Token: Codable, Sendable, Equatable {
        /// Its text.
        public var token: String
        /// Its log-probability.
        public var logProbability: Double

        /// A token.
        public init(token: String, logProbability: Double) {
            self.token = token
            self.logProbability = logProbability
        }
    }

    /// The text; nil where there is none.
    public var text: String?
    /// Why the text ends: `stop`, `length`, `content_filter`.
    public var finish: String?
    /// The tokens that might have come first.
    public var firstToken: [Token]?
    /// The tokens of the prompt; nil where the service does not say, or says what cannot be.
    public var promptTokens: Int?
    /// Those of them that the service still had.
    public var cachedTokens: Int?
    /// The tokens of the answer.
    public var completionTokens: Int?
    /// Seconds from the request to here.
    public var seconds: Double?
    /// What was read before a part of the texts was blotted out, where it cannot be read any more.
    package var reading: Reading?

    /// What was read in a reply.
    package struct Reading: Codable, Sendable, Equatable {
        /// What the two texts were called.
        package var labels: JudgeLabels
        /// What was said; the answer is that of the reply.
        package var shareOfFirst: Double?
        /// Why nothing was said.
        package var omission: JudgeOmission?
    }

    /// A reply.
    public init(text: String?, finish: String? = nil, firstToken: [Token]? = nil, promptTokens: Int? = nil, completionTokens: Int? = nil) {
        self.text = text
        self.finish = finish
        self.firstToken = firstToken
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
    }

    /// Whether the text ended at its greatest length.
    public var isCut: Bool { finish == "length" }

    /// Why a body is no reply; nothing of the body is repeated.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// Reads the body of an answer.
    /// - Throws: ``Problem``.
    public init(body: [UInt8]) throws(Problem) {
        guard body.contains(where: { !OneLine.isSpace($0) }) else { throw Problem(description: "it is empty") }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: body, [.byteOrderMark, .hugeNumbers])
        } catch {
            throw Problem(description: "it is not JSON")
        }
        if value["error"]?.unlessNull != nil, value["choices"] == nil {
            throw Problem(description: "it is an error with the status of success")
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

    /// A text, or the texts of its parts.
    private static func text(of content: JSONValue?) throws(Problem) -> String? {
        switch content?.unlessNull {
        case nil: return nil
        case .string(let text)?: return text
        case .array(let parts)?:
            let texts = parts.compactMap { $0["text"]?.string }
            return texts.isEmpty ? nil : texts.joined()
        default: throw Problem(description: "\"choices[0].message.content\" is no text")
        }
    }

    /// The tokens that might have come first: in the shape of chats, `content[0].top_logprobs`, or in that of completions, a map.
    private static func firstToken(in value: JSONValue?) throws(Problem) -> [Token]? {
        guard let value else { return nil }
        if let first = value["content"]?.array?.first {
            var tokens: [Token] = []
            for entry in (first["top_logprobs"]?.array ?? []) + [first] {
                guard let text = entry["token"]?.string else { throw Problem(description: "a token of \"logprobs\" has no text") }
                // the one that was drawn stands among the likeliest, or not
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
        // rounding may leave a certain token a little above 0
        guard let number = value?.double, number <= 0.01 else {
            throw Problem(description: "a \"logprob\" is not a number of at most 0")
        }
        return min(number, 0)
    }

    /// A whole number of at least 0; nil for anything else.
    private static func count(_ value: JSONValue?) -> Int? { value?.int.flatMap { $0 >= 0 ? $0 : nil } }
}
