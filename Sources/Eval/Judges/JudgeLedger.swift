/// What asking a judge has come to: requests, tokens, price and time.
public struct JudgeLedger: Codable, Sendable, Equatable {
    /// The model that was asked.
    public var model: String
    /// Questions.
    public var questions = 0
    /// Questions whose answers lay in the cache.
    public var fromCache = 0
    /// Requests that were sent, repeated ones included.
    public var requests = 0
    /// Requests that were repeated.
    public var retries = 0
    /// Tokens of all prompts, as the service counts them, cached answers included.
    public var promptTokens = 0
    /// Tokens of all answers, likewise.
    public var completionTokens = 0
    /// Answers without a count of the prompt's tokens: whether the prompt was cut, and what it cost, is not known of them.
    public var uncounted = 0
    /// The price of all answers; nil without prices.
    public var price: Double?
    /// The price of those that were asked for now.
    public var priceOfThisRun: Double?
    /// Seconds of all requests together, cached answers included.
    public var requestSeconds = 0.0
    /// Seconds that this run has waited for answers.
    public var seconds = 0.0
    /// Lines of the cache that could not be read.
    public var damagedCacheLines = 0

    /// Nothing yet.
    public init(model: String) { self.model = model }

    /// Takes an answer in.
    /// - Parameter prices: of a million tokens of prompts and of answers.
    package mutating func add(_ reply: ChatReply, fromCache: Bool, prices: (prompt: Double, completion: Double)?) {
        let tokens = (prompt: reply.promptTokens ?? 0, completion: reply.completionTokens ?? 0)
        if tokens.prompt == 0 { uncounted += 1 }
        // what a service claims may be anything up to the largest number
        promptTokens = promptTokens.addingReportingOverflow(tokens.prompt).overflow ? .max : promptTokens + tokens.prompt
        completionTokens =
            completionTokens.addingReportingOverflow(tokens.completion).overflow ? .max : completionTokens + tokens.completion
        requestSeconds += reply.seconds ?? 0
        if fromCache { self.fromCache += 1 }
        guard let prices else { return }
        let cost = (Double(tokens.prompt) * prices.prompt + Double(tokens.completion) * prices.completion) / 1e6
        price = (price ?? 0) + cost
        priceOfThisRun = (priceOfThisRun ?? 0) + (fromCache ? 0 : cost)
    }
}
