import Formats
import Foundation

/// Builds the requests to a judge in OpenAI's chat completion format, and reads verdicts from the responses.
public struct JudgeChat: Sendable {
    /// Where the verdict is read from.
    public enum Reading: String, Codable, Sendable, CaseIterable {
        /// The text of the answer; see ``JudgeLabels``.
        case answer
        /// The log-probabilities of the two labels as the first token of the answer, which give their relative weights. A label
        /// that is not among the returned tokens has weight 0.
        case logProbabilities = "log-probs"
    }

    /// Builds the prompt for a question.
    public var prompt: @Sendable (PairwiseQuestion) -> String
    /// The labels of the two texts in the prompt.
    public var labels: JudgeLabels
    /// The name of the model, as the service knows it.
    public var model: String
    /// Where the verdict is read from.
    public var reading: Reading
    /// The sampling temperature.
    public var temperature = 0.0
    /// The sampling seed.
    public var seed: Int = 0
    /// The maximum length of an answer in tokens; always 1 when log-probabilities are read.
    public var maxTokens = 64
    /// The number of log-probabilities that are requested.
    public var topLogProbabilities = 5
    /// The check for prompts that the service truncated.
    public var check = PromptTokenCheck()

    /// A conversation with a model. Default for `reading`: the text of the answer.
    public init(
        model: String, labels: JudgeLabels, reading: Reading = .answer, prompt: @escaping @Sendable (PairwiseQuestion) -> String
    ) {
        self.model = model
        self.labels = labels
        self.reading = reading
        self.prompt = prompt
    }

    /// The JSON body of a request; the same prompt always gives the same bytes.
    public func body(prompt: String) -> [UInt8] {
        let body = Body(
            model: model, messages: [.init(role: "user", content: prompt)], temperature: temperature, seed: seed,
            max_tokens: reading == .answer ? maxTokens : 1, logprobs: reading == .answer ? nil : true,
            top_logprobs: reading == .answer ? nil : topLogProbabilities)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // strings and finite numbers only, so encoding cannot fail
        return (try? encoder.encode(body)).map { [UInt8]($0) } ?? []
    }

    /// Reads the opinion from a response.
    public func opinion(of reply: ChatReply) -> JudgeOpinion {
        if let known = reply.reading, known.labels == labels {
            var opinion = JudgeOpinion(omission: known.omission ?? .unreadable, answer: reply.text)
            opinion.shareOfFirst = known.shareOfFirst
            opinion.omission = known.omission
            return opinion
        }
        if reply.finish == "content_filter" { return JudgeOpinion(omission: .empty, answer: reply.text) }
        switch reading {
        case .answer:
            guard let text = reply.text, !text.allSatisfy(\.isWhitespace) else {
                return JudgeOpinion(omission: reply.isCut ? .cut : .empty)
            }
            if let preference = labels.preference(in: text, isCut: reply.isCut) { return JudgeOpinion(preference, answer: text) }
            return JudgeOpinion(omission: reply.isCut ? .cut : .unreadable, answer: text)
        case .logProbabilities:
            guard let tokens = reply.firstToken, !tokens.isEmpty else {
                return JudgeOpinion(omission: .noLogProbabilities, answer: reply.text)
            }
            let first = weight(of: labels.first, in: tokens)
            let second = weight(of: labels.second, in: tokens)
            guard first + second > 0 else { return JudgeOpinion(omission: .noLabel, answer: reply.text) }
            return JudgeOpinion(shareOfFirst: first / (first + second), answer: reply.text)
        }
    }

    /// Returns a response whose texts are changed by `change`, but whose verdict is still the one before the change.
    package func changed(_ reply: ChatReply, _ change: (String) -> String) -> ChatReply {
        var other = reply
        other.text = reply.text.map(change)
        other.finish = reply.finish.map(change)
        other.firstToken = reply.firstToken?.map { ChatReply.Token(token: change($0.token), logProbability: $0.logProbability) }
        let (before, after) = (opinion(of: reply), opinion(of: other))
        guard (before.shareOfFirst, before.omission) != (after.shareOfFirst, after.omission) else { return other }
        other.reading = .init(labels: labels, shareOfFirst: before.shareOfFirst, omission: before.omission)
        return other
    }

    /// The probability of a label as the first token, with or without leading white space.
    private func weight(of label: String, in tokens: [ChatReply.Token]) -> Double {
        tokens.reduce(0) { sum, token in
            let text = token.token.drop { $0.isWhitespace || $0 == "\u{2581}" || $0 == "\u{120}" }
            return sum + (text == label ? exp(token.logProbability) : 0)
        }
    }

    private struct Body: Encodable {
        struct Message: Encodable {
            var role: String
            var content: String
        }
        var model: String
        var messages: [Message]
        var temperature: Double
        var seed: Int
        var max_tokens: Int
        var logprobs: Bool?
        var top_logprobs: Int?
    }
}

/// Compares the prompt length that a service reports with a lower bound, to detect prompts that the service silently truncated.
public struct PromptTokenCheck: Sendable {
    /// Counts the tokens of a text with the judge's own tokenizer; nil counts words, each of which has at least one token.
    public var tokens: (@Sendable (String) -> Int)?
    /// Whether the check is enabled.
    public var isOn = true

    /// A check that counts words.
    public init() {}

    /// A lower bound for the number of tokens of a prompt. A tokenizer's count is reduced by 1 % and 2 tokens, since chat
    /// templates may join or trim the text.
    public func bound(for prompt: String) -> Int {
        guard let tokens else { return Lengths.words(in: prompt) }
        let count = tokens(prompt)
        return max(count - count / 100 - 2, 0)
    }

    /// The reported and the expected number of prompt tokens if the prompt seems truncated; nil if it does not, the service
    /// reports no count, or the check is off.
    public func shortfall(of prompt: String, in reply: ChatReply) -> (counted: Int, expected: Int)? {
        guard isOn, let counted = reply.promptTokens, counted > 0 else { return nil }
        let expected = bound(for: prompt)
        // some services exclude the tokens taken from their cache
        return counted + (reply.cachedTokens ?? 0) < expected ? (counted, expected) : nil
    }
}
