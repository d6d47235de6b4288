public import Eval
internal import Foundation
internal import Synchronization

/// A judge behind HTTP: any service with the shape of OpenAI's `POST /v1/chat/completions`, on this machine or elsewhere.
///
/// Several threads ask at once, each one question at a time, and block as all callers of ``ServiceClient`` do. Network failures, time-outs,
/// status 408, 429 and 5xx are tried again with growing pauses; where a service asks to be left alone, all threads wait. A question that is
/// refused (400, 413, 422), or whose answer says nothing, has no verdict and a reason. What makes all other answers doubtful ends the run:
/// redirects, wrong keys or addresses, a prompt that was cut, and many failures one after the other. Where questions have failed, or got
/// something that is no answer, the others are asked, and the run ends unfinished. Answers go into the cache one by one, so that the same
/// command goes on where it was left.
public final class ChatJudge: PairwiseJudge, Sendable {
    /// How a service is asked.
    public struct Options: Sendable {
        /// Questions that are under way at once.
        public var concurrency = 4
        /// Seconds until a request that has no whole answer counts as failed.
        public var timeout = 120.0
        /// How often a request is tried before its question is given up.
        public var attempts = 5
        /// Seconds before the second try; each further pause is twice as long, up to 16 times this.
        public var pause = 0.5
        /// Failures one after the other, without an answer between them, that end the run.
        public var patience = 20
        /// Bytes that an answer may have.
        public var answerBytes = 2 << 20
        /// The price of a million tokens of prompts and of answers; nil where it is not known.
        public var prices: (prompt: Double, completion: Double)?
        /// Is told after each answer how many of how many questions are done.
        public var progress: @Sendable (_ done: Int, _ of: Int) -> Void = { _, _ in }

        /// The defaults.
        public init() {}
    }

    /// Why a judge cannot be used at all.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The service refuses this address or model.
        case refused(status: Int, endpoint: String)
        /// The service refuses the key in this variable of the environment, or wants one where none is set.
        case keyRefused(status: Int, endpoint: String, variable: String, isSet: Bool)
        /// The service points to another address; nothing was sent there.
        case redirected(status: Int, endpoint: String, to: String)
        /// The service has seen less of a prompt than was sent.
        case truncated(task: String, endpoint: String, counted: Int, expected: Int)
        /// So many questions in a row have no answer; the reason is the last one's.
        case givenUp(endpoint: String, failures: Int, reason: String, answered: Int)
        /// Some questions have no answer for a reason that another try may mend; the cache, if there is one, has the answers.
        case unfinished(endpoint: String, failed: Int, questions: Int, reason: String, cache: String?)
        /// Not one question has a verdict.
        case nothingSaid(endpoint: String, questions: Int, reason: String, isOfTheService: Bool)

        /// One line: which service, what happened, what to do.
        public var description: String {
            switch self {
            case .refused(let status, let endpoint): RefusalText.refused(status, endpoint)
            case .keyRefused(let status, let endpoint, let variable, let isSet):
                RefusalText.keyRefused(status, endpoint, variable: variable, isSet: isSet)
            case .redirected(let status, let endpoint, let target): RefusalText.redirected(status, endpoint, to: target)
            case .truncated(let task, let endpoint, let counted, let expected):
                "\(endpoint) has cut the prompt of \(task): it counts \(counted) tokens where there are at least \(expected); "
                    + "give it a longer context, or --judge-token-check no if it counts otherwise"
            case .givenUp(let endpoint, let failures, let reason, let answered):
                "\(endpoint) has answered none of \(failures) questions in a row (\(reason)); \(answered) are answered, and kept where there "
                    + "is a cache: check the service and run the same command again"
            case .unfinished(let endpoint, let failed, let questions, let reason, let cache):
                "\(endpoint) has left \(failed) of \(questions) questions without an answer (\(reason)): no result is written; "
                    + (cache.map { "the answers are kept in \($0), and the same command goes on with the rest" }
                        ?? "there is no cache, so nothing is kept")
            case .nothingSaid(let endpoint, let questions, let reason, let isOfTheService):
                "\(endpoint) gave no verdict on any of \(questions) questions (\(reason)): check "
                    + (isOfTheService ? "the service" : "the prompt, the labels and the model")
            }
        }
    }

    /// The variable of the environment that a key is read from unless another is named.
    public static let keyVariable = "OPENAI_API_KEY"

    let address: ServiceAddress
    let key: ServiceKey?
    /// Where the key was looked for.
    let variable: String
    let chat: JudgeChat
    let cache: JudgeCache?
    let options: Options
    private let spent: Mutex<JudgeLedger>

    /// A judge behind an address.
    ///
    /// - Parameters:
    ///   - address: the full address, such as `http://localhost:8080/v1/chat/completions`.
    ///   - key: sent as a bearer token; nil sends none.
    ///   - variable: where the key was looked for, to be named when one is missing.
    ///   - chat: what is asked, and how answers are read.
    ///   - cache: keeps answers; nil keeps none.
    public init(
        address: ServiceAddress, key: ServiceKey? = nil, variable: String = ChatJudge.keyVariable, chat: JudgeChat,
        cache: JudgeCache? = nil, options: Options = Options()
    ) {
        precondition(options.concurrency > 0 && options.attempts > 0 && options.patience > 0, "numbers of a judge are at least 1")
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

    public var ledger: JudgeLedger? { spent.withLock { $0 } }

    public func preferences(for questions: [PairwiseQuestion]) throws -> [Preference?] {
        try opinions(for: questions).map(\.preference)
    }

    /// - Throws: ``Failure``; `FileError` when an answer cannot be kept.
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
                reason: Self.reasons(unanswered, hiding: key) + (round.lastReason.map { "; the last one: \($0)" } ?? ""),
                isOfTheService: unanswered.allSatisfy { $0.omission?.isOfTheService ?? false })
        }
        let failed = unanswered.filter { $0.omission?.mayBeMended ?? false }
        guard failed.isEmpty else {
            throw Failure.unfinished(
                endpoint: address.description, failed: failed.count, questions: questions.count,
                reason: Self.reasons(failed, hiding: key) + (round.lastReason.map { "; the last one: \($0)" } ?? ""), cache: cache?.path)
        }
        return opinions
    }

    /// `12 unreadable, such as 'I think'; 3 cut`.
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
