public import Eval
internal import Formats
internal import Foundation
internal import Synchronization

/// A pairwise judge behind HTTP: a local or remote service that is compatible with OpenAI's `POST /v1/chat/completions`.
///
/// Several threads send one question at a time and block, as all callers of ``ServiceClient`` do. Network failures, time-outs and
/// the status codes 408, 429 and 5xx are retried with increasing pauses; if the service sends Retry-After, all threads wait. A
/// question that is rejected (400, 413, 422) or whose answer is unusable gets no verdict but a reason. Conditions that cast doubt
/// on all other answers end the run: redirects, a wrong key or address, a truncated prompt, and many consecutive failures. If
/// questions failed or got an invalid response, the remaining questions are still asked, but the run then ends as unfinished.
/// Every answer is written to the cache at once, so that the same command continues where it stopped. Cached answers without a
/// verdict are not reused: their questions are asked again.
public final class ChatJudge: PairwiseJudge, Sendable {
    /// The options for requests.
    public struct Options: Sendable {
        /// The maximum number of concurrent requests.
        public var concurrency = 4
        /// The time-out of a request in seconds.
        public var timeout = 120.0
        /// The maximum number of attempts per request.
        public var attempts = 5
        /// Seconds before the first retry. Each further pause is twice as long, up to 16 times this value.
        public var pause = 0.5
        /// The number of consecutive failures that ends the run.
        public var patience = 20
        /// The maximum size of a response body in bytes.
        public var answerBytes = 2 << 20
        /// The prices of a million prompt tokens and a million completion tokens; nil if unknown.
        public var prices: (prompt: Double, completion: Double)?
        /// Called after each question with the number of completed questions and their total number.
        public var progress: @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }

        /// Creates the default options.
        public init() {}
    }

    /// A condition that makes the judge unusable.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The service rejects the address or the model.
        case refused(status: Int, endpoint: String)
        /// The service rejects the key in an environment variable, or requires a key that is not set.
        case keyRefused(status: Int, endpoint: String, variable: String, isSet: Bool)
        /// The service redirects to another address. Nothing was sent to that address.
        case redirected(status: Int, endpoint: String, to: String)
        /// The service reports fewer prompt tokens than were sent: it truncated the prompt.
        case truncated(task: String, endpoint: String, counted: Int, expected: Int)
        /// Too many consecutive questions have no answer. The reason is that of the last failure.
        case givenUp(endpoint: String, failures: Int, reason: String, answered: Int)
        /// Some questions have no answer, and a repetition may succeed. The answers are in the cache, if there is one.
        case unfinished(endpoint: String, failed: Int, questions: Int, reason: String, cache: String?)
        /// No question has a verdict.
        case nothingSaid(endpoint: String, questions: Int, reason: String, isOfTheService: Bool)

        /// The error message, on one line: which service, what happened, and what to do.
        public var description: String {
            switch self {
            case .refused(let status, let endpoint): RefusalText.refused(status, endpoint)
            case .keyRefused(let status, let endpoint, let variable, let isSet):
                RefusalText.keyRefused(status, endpoint, variable: variable, isSet: isSet)
            case .redirected(let status, let endpoint, let target): RefusalText.redirected(status, endpoint, to: target)
            case .truncated(let task, let endpoint, let counted, let expected):
                "\(endpoint) has truncated the prompt of \(task): "
                    + "it reports \(Counted(counted, "prompt token")), expected at least \(expected); "
                    + "give the model a longer context, or pass --judge-token-check no if the service counts differently"
            case .givenUp(let endpoint, let failures, let reason, let answered):
                "\(endpoint) failed to answer \(Counted(failures, "consecutive question")) (\(reason)); "
                    + "\(Counted(answered, "answer")) \(Counted.form(answered, "is", "are")) kept if there "
                    + "is a cache; check the service and run the same command again"
            case .unfinished(let endpoint, let failed, let questions, let reason, let cache):
                "\(endpoint) did not answer \(failed) of \(Counted(questions, "question")) (\(reason)); no result was written; "
                    + (cache.map { "the answers are kept in \($0); run the same command again to ask the remaining questions" }
                        ?? "there is no cache, so no answers are kept")
            case .nothingSaid(let endpoint, let questions, let reason, let isOfTheService):
                "\(endpoint) gave no verdict on any of \(Counted(questions, "question")) (\(reason)); check "
                    + (isOfTheService ? "the service" : "the prompt, the labels and the model")
            }
        }
    }

    /// The default environment variable for the key.
    public static let keyVariable = "OPENAI_API_KEY"

    let address: ServiceAddress
    let key: ServiceKey?
    /// The environment variable that was searched for the key.
    let variable: String
    let chat: JudgeChat
    let cache: JudgeCache?
    let options: Options
    private let spent: Mutex<JudgeLedger>

    /// Creates a judge for a service.
    ///
    /// - Parameters:
    ///   - address: The full URL, such as `http://localhost:8080/v1/chat/completions`.
    ///   - key: The bearer token; nil sends none.
    ///   - variable: The environment variable that was searched for the key, for error messages.
    ///   - chat: Formats questions and parses answers.
    ///   - cache: Stores answers; nil stores none.
    ///   - options: The options for requests.
    public init(
        address: ServiceAddress, key: ServiceKey? = nil, variable: String = ChatJudge.keyVariable, chat: JudgeChat,
        cache: JudgeCache? = nil, options: Options = Options()
    ) {
        precondition(
            options.concurrency > 0 && options.attempts > 0 && options.patience > 0,
            "concurrency, attempts and patience must be at least 1")
        self.address = address
        self.key = key
        self.variable = variable
        self.chat = chat
        self.cache = cache
        self.options = options
        var ledger = JudgeLedger(model: chat.model)
        ledger.damagedCacheLines = cache?.damagedLines.count ?? 0
        spent = Mutex(ledger)
    }

    /// The cost of all questions so far: requests, tokens and time.
    public var ledger: JudgeLedger? { spent.withLock { $0 } }

    /// The preferences for some questions; nil for a question without a verdict.
    /// - Throws: As ``opinions(for:)``.
    public func preferences(for questions: [PairwiseQuestion]) throws -> [Preference?] {
        try opinions(for: questions).map(\.preference)
    }

    /// The opinions about some questions, from the cache or the service.
    /// - Throws: ``Failure``; `FileError` if the cache cannot be written.
    public func opinions(for questions: [PairwiseQuestion]) throws -> [JudgeOpinion] {
        let start = ContinuousClock.now
        let round = ChatRound(judge: self, questions: questions, spent: { change in self.spent.withLock { change(&$0) } })
        defer {
            let seconds = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
            spent.withLock { $0.seconds += seconds }
        }
        let opinions = try round.run()
        let unanswered = opinions.filter { $0.shareOfFirst == nil }
        if !questions.isEmpty, unanswered.count == opinions.count {
            throw Failure.nothingSaid(
                endpoint: address.description, questions: questions.count,
                reason: Self.reasons(unanswered, hiding: key) + (round.lastReason.map { "; the last: \($0)" } ?? ""),
                isOfTheService: unanswered.allSatisfy { $0.omission?.isOfTheService ?? false })
        }
        let failed = unanswered.filter { $0.omission?.mayBeMended ?? false }
        guard failed.isEmpty else {
            throw Failure.unfinished(
                endpoint: address.description, failed: failed.count, questions: questions.count,
                reason: Self.reasons(failed, hiding: key) + (round.lastReason.map { "; the last: \($0)" } ?? ""), cache: cache?.path)
        }
        return opinions
    }

    /// The reasons for missing verdicts with their counts, such as `12 unreadable, such as 'I think'; 3 cut`.
    private static func reasons(_ opinions: [JudgeOpinion], hiding key: ServiceKey?) -> String {
        Dictionary(grouping: opinions) { $0.omission ?? .unreadable }.sorted {
            ($1.value.count, $0.key.rawValue) < ($0.value.count, $1.key.rawValue)
        }
        .map { omission, opinions in
            let example =
                opinions.lazy.compactMap(\.answer).first.map { ", such as '\(ServiceKey.shown($0.prefix(80), hiding: key))'" } ?? ""
            return "\(opinions.count) \(omission.rawValue)\(example)"
        }.joined(separator: "; ")
    }
}
