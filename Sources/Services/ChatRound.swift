internal import Eval
internal import Foundation
internal import Synchronization

/// One call of a judge: its questions and the threads that send them.
final class ChatRound: Sendable {
    /// The state shared by the threads.
    private struct State {
        var next = 0
        var opinions: [JudgeOpinion?]
        var failuresInARow = 0
        /// Why the last question without an answer from the service has none.
        var lastReason: String?
        var answered = 0
        var done = 0
        var error: (any Error)?
        /// The time until which the service has asked clients to wait.
        var quietUntil = ContinuousClock.now
    }

    /// The result of one question.
    private enum Outcome {
        case reply(ChatReply)
        case omitted(JudgeOmission, reason: String)
        /// The round has ended in another thread.
        case stopped
    }

    private let judge: ChatJudge
    private let questions: [PairwiseQuestion]
    private let spent: @Sendable ((inout JudgeLedger) -> Void) -> Void
    private let state: Mutex<State>

    init(judge: ChatJudge, questions: [PairwiseQuestion], spent: @escaping @Sendable ((inout JudgeLedger) -> Void) -> Void) {
        self.judge = judge
        self.questions = questions
        self.spent = spent
        state = Mutex(State(opinions: [JudgeOpinion?](repeating: nil, count: questions.count)))
    }

    /// Sends all questions and returns their opinions.
    /// - Throws: The first error that ends the round.
    func run() throws -> [JudgeOpinion] {
        spent { $0.questions += self.questions.count }
        let group = DispatchGroup()
        for _ in 0..<min(judge.options.concurrency, questions.count) {
            group.enter()
            Thread.detachNewThread {
                self.work()
                group.leave()
            }
        }
        group.wait()
        return try state.withLock { state in
            if let error = state.error { throw error }
            return state.opinions.compactMap { $0 }
        }
    }

    /// The work of one thread: sends one question after another.
    private func work() {
        // one client per thread, because a client uses a single connection
        let client = ServiceClient()
        while let index = takeNext() {
            do {
                guard let opinion = try opinion(of: index, client) else { return }
                let done = state.withLock { state in
                    state.opinions[index] = opinion
                    state.done += 1
                    return state.done
                }
                judge.options.progress(done, questions.count)
            } catch {
                state.withLock { $0.error = $0.error ?? error }
                return
            }
        }
    }

    /// Why the last question without an answer from the service has none; nil if all have been answered.
    var lastReason: String? { state.withLock { $0.lastReason } }

    private func takeNext() -> Int? {
        state.withLock { state in
            guard state.error == nil, state.next < questions.count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private var isStopped: Bool { state.withLock { $0.error != nil } }

    /// The opinion about a question, from the cache or the service; nil if the round has ended.
    private func opinion(of index: Int, _ client: ServiceClient) throws -> JudgeOpinion? {
        let prompt = judge.chat.prompt(questions[index])
        let body = judge.chat.body(prompt: prompt)
        let key = JudgeCache.key(address: judge.address.text, body: body)
        // a cached answer in which parts were hidden was read with particular labels and is valid only for those
        if let known = judge.cache?[key], known.reading.map({ $0.labels == judge.chat.labels }) ?? true {
            let opinion = judge.chat.opinion(of: known)
            if opinion.shareOfFirst != nil {
                try check(prompt, index, known)
                spent { $0.add(known, fromCache: true, prices: self.judge.options.prices) }
                return opinion
            }
            // an answer without a verdict is not final: a repaired judge may give one
            spent { $0.askedAgain += 1 }
        }
        switch try ask(body, client) {
        case .stopped: return nil
        case .omitted(let omission, let reason):
            try fail(reason)
            return JudgeOpinion(omission: omission)
        case .reply(let reply):
            try check(prompt, index, reply)
            spent { $0.add(reply, fromCache: false, prices: self.judge.options.prices) }
            let opinion = judge.chat.opinion(of: reply)
            if opinion.omission?.isOfTheService == true {
                // the service gave no answer of the model, so there is nothing to record
                try fail(opinion.omission?.rawValue ?? "")
                return opinion
            }
            state.withLock {
                $0.failuresInARow = 0
                $0.answered += 1
            }
            // an answer without a verdict is recorded too, to show what the judge wrote; it is not reused
            if opinion.omission != .empty { try judge.cache?.store(reply, for: key) }
            return opinion
        }
    }

    /// Counts a question that the service has not answered.
    /// - Throws: `ChatJudge.Failure.givenUp` when the maximum number of consecutive failures is reached.
    private func fail(_ reason: String) throws {
        let (failures, answered) = state.withLock { state in
            state.failuresInARow += 1
            state.lastReason = reason
            return (state.failuresInARow, state.answered)
        }
        guard failures < judge.options.patience else {
            throw ChatJudge.Failure.givenUp(endpoint: judge.address.description, failures: failures, reason: reason, answered: answered)
        }
    }

    private func check(_ prompt: String, _ index: Int, _ reply: ChatReply) throws {
        guard let (counted, expected) = judge.chat.check.shortfall(of: prompt, in: reply) else { return }
        let input = ServiceKey.shown(questions[index].input.prefix(60), hiding: judge.key)
        throw ChatJudge.Failure.truncated(
            task: "question \(index) ('\(input)…')", endpoint: judge.address.description, counted: counted, expected: expected)
    }

    // MARK: One request

    /// Sends a request and retries it where that may help.
    private func ask(_ body: [UInt8], _ client: ServiceClient) throws -> Outcome {
        let options = judge.options
        var pause = options.pause
        var reason = ""
        for attempt in 0..<options.attempts {
            if attempt > 0 {
                guard wait(until: .now + .seconds(pause)) else { return .stopped }
                pause = min(pause * 2, options.pause * 16)
            }
            guard wait(until: state.withLock { $0.quietUntil }) else { return .stopped }
            spent {
                $0.requests += 1
                if attempt > 0 { $0.retries += 1 }
            }
            let start = ContinuousClock.now
            let answer: ServiceClient.Answer
            do {
                answer = try client.post(
                    body, to: judge.address, key: judge.key, limits: .init(seconds: options.timeout, bytes: options.answerBytes))
            } catch .redirected(let status, let target) {
                throw ChatJudge.Failure.redirected(status: status, endpoint: judge.address.description, to: target)
            } catch .failed(let failure) {
                reason = failure
                continue
            } catch {
                return .omitted(.malformed, reason: error.description)
            }
            switch answer.status {
            case 200: return read(answer.body, seconds: Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000)
            case 400, 413, 422: return .omitted(.rejected, reason: "status \(answer.status)")
            case 408, 429, 500..<600:
                reason = "status \(answer.status)"
                guard let asked = answer.retryAfter, asked > 0 else { continue }
                guard asked <= options.timeout else {
                    return .omitted(.failed, reason: reason + ", and it asks to wait longer than the time-out")
                }
                state.withLock { $0.quietUntil = max($0.quietUntil, .now + .seconds(asked)) }
            case 401, 403:
                throw ChatJudge.Failure.keyRefused(
                    status: answer.status, endpoint: judge.address.description, variable: judge.key?.variable ?? judge.variable,
                    isSet: judge.key != nil)
            default: throw ChatJudge.Failure.refused(status: answer.status, endpoint: judge.address.description)
            }
        }
        return .omitted(.failed, reason: reason)
    }

    private func read(_ body: [UInt8], seconds: Double) -> Outcome {
        do {
            var reply = try ChatReply(body: body)
            // a service may echo what it was sent: remove the key from the stored text without changing the verdict that was read
            if let key = judge.key { reply = judge.chat.changed(reply) { key.hidden(in: $0) } }
            reply.finish = reply.finish.map { ServiceKey.shown($0, hiding: nil) }
            reply.seconds = seconds
            return .reply(reply)
        } catch {
            return .omitted(.malformed, reason: "not a chat completion response: \(error)")
        }
    }

    /// Sleeps until a time. Returns false if the round has ended.
    private func wait(until time: ContinuousClock.Instant) -> Bool {
        while true {
            if isStopped { return false }
            let rest = Double((time - ContinuousClock.now) / .milliseconds(1)) / 1000
            guard rest > 0 else { return true }
            Thread.sleep(forTimeInterval: min(rest, 0.1))
        }
    }
}
