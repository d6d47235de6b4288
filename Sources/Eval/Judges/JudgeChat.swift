import Formats
public import Foundation

/// The questions to a judge as requests of a chat in OpenAI's shape, and what its answers say.
public struct JudgeChat: Sendable {
    /// Where the verdict is found.
    public enum Reading: String, Codable, Sendable, CaseIterable {
        /// In the text of the answer; see ``JudgeLabels``.
        case answer
        /// In the log-probabilities of the two labels as the answer's first token: their weights. One that is absent weighs nothing.
        case logProbabilities = "log-probs"
    }

    /// Makes the text of a question.
    public var prompt: @Sendable (PairwiseQuestion) -> String
    /// What the texts are called in it.
    public var labels: JudgeLabels
    /// The model's name as the service knows it.
    public var model: String
    /// Where the verdict is found.
    public var reading: Reading
    /// The temperature of sampling.
    public var temperature = 0.0
    /// The seed of sampling.
    public var seed: Int = 0
    /// The greatest length of an answer in tokens; with log-probabilities it is 1.
    public var maxTokens = 64
    /// How many log-probabilities are asked for.
    public var topLogProbabilities = 5
    /// Compares the tokens of a prompt that the service has counted with our own count.
    public var check = PromptTokenCheck()

    /// A conversation.
    public init(
        model: String, labels: JudgeLabels, reading: Reading = .answer, prompt: @escaping @Sendable (PairwiseQuestion) -> String
    ) {
        self.model = model
        self.labels = labels
        self.reading = reading
        self.prompt = prompt
    }

    /// The body of a request, in the same bytes for the same question.
    public func body(prompt: String) -> [UInt8] {
        let body = Body(
            model: model, messages: [.init(role: "user", content: prompt)], temperature: temperature, seed: seed,
            max_tokens: reading == .answer ? maxTokens : 1, logprobs: reading == .answer ? nil : true,
            top_logprobs: reading == .answer ? nil : topLogProbabilities)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // texts and finite numbers: nothing of it can be refused
        return (try? encoder.encode(body)).map { [UInt8]($0) } ?? []
    }

    /// What a reply says.
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

    /// A reply whose texts are changed, so that it says what it said before.
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

    /// The probability of a label, with white space before it or without.
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

/// Compares what a service says of a prompt's length with what is known of it, to find prompts that the service has silently truncated.
public struct PromptTokenCheck: Sendable {
    /// Counts the tokens of a text as the judge's own tokenizer does; without it, every word is at least one token.
    public var tokens: (@Sendable (String) -> Int)?
    /// Whether anything is compared.
    public var isOn = true

    /// A comparison by words.
    public init() {}

    /// The tokens that a prompt has at least. A hundredth and two more are let off a tokenizer's count: templates may join or trim the text.
    public func bound(for prompt: String) -> Int {
        guard let tokens else { return Lengths.words(in: prompt) }
        let count = tokens(prompt)
        return max(count - count / 100 - 2, 0)
    }

    /// What is missing of a prompt; nil where nothing is, or the service does not say.
    public func shortfall(of prompt: String, in reply: ChatReply) -> (counted: Int, expected: Int)? {
        guard isOn, let counted = reply.promptTokens, counted > 0 else { return nil }
        let expected = bound(for: prompt)
        // some services leave out what they still have from the request before
        return counted + (reply.cachedTokens ?? 0) < expected ? (counted, expected) : nil
    }
}
