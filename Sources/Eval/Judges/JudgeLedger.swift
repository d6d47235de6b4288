/// Usage statistics of a judge: requests, tokens, price and time.
public struct JudgeLedger: Codable, Sendable, Equatable {
    /// The name of the model that was asked.
    public var model: String
    /// The number of questions.
    public var questions = 0
    /// The number of questions whose answers came from the cache.
    public var fromCache = 0
    /// The number of questions that were asked again because their cached answer has no verdict.
    public var askedAgain = 0
    /// The number of requests sent, including retries.
    public var requests = 0
    /// The number of retries.
    public var retries = 0
    /// The tokens of all prompts as counted by the service, including cached answers.
    public var promptTokens = 0
    /// The tokens of all answers as counted by the service, including cached answers.
    public var completionTokens = 0
    /// The number of answers without a prompt token count, for which neither truncation of the prompt nor the price can be
    /// determined.
    public var uncounted = 0
    /// The price of all answers, including cached ones; nil if no prices were given.
    public var price: Double?
    /// The price of the answers requested in this run.
    public var priceOfThisRun: Double?
    /// The total time of all requests in seconds, including cached answers.
    public var requestSeconds = 0.0
    /// The time in seconds that this run has waited for answers.
    public var seconds = 0.0
    /// The number of cache lines that could not be read.
    public var damagedCacheLines = 0

    /// An empty ledger for a model.
    public init(model: String) { self.model = model }

    /// Adds an answer.
    /// - Parameters:
    ///   - reply: the answer.
    ///   - fromCache: whether the answer came from the cache.
    ///   - prices: the prices of a million prompt tokens and of a million answer tokens; nil if unknown.
    package mutating func add(_ reply: ChatReply, fromCache: Bool, prices: (prompt: Double, completion: Double)?) {
        let tokens = (prompt: reply.promptTokens ?? 0, completion: reply.completionTokens ?? 0)
        if tokens.prompt == 0 { uncounted += 1 }
        // saturating addition, since a service may report counts up to the largest integer
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
