import Foundation

/// A reward that is computed asynchronously, as by a service, for a training loop that waits for it.
///
///     let reward = AsyncReward.each(concurrency: 16) { query, response, _ in try await service.score(query, response) }
///
/// The thread that asks for rewards runs the asynchronous work itself, piece by piece, and sleeps while all of it waits: nothing of it needs
/// a thread of Swift's pool, so a training loop inside a task cannot starve the work that it waits for. Pieces of one call therefore run one
/// at a time; what overlaps is the waiting. Work that must run on the main actor, or in a task of its own that was made without structure
/// (`Task {}`), is run where that belongs, and never comes to an end where the training loop holds that very thread.
public struct AsyncReward: RewardFunction {
    /// The rewards of some requests.
    public typealias Body = @Sendable (_ requests: [RewardRequest]) async throws -> [Double]

    /// How many requests are given out at once; nil for all of a call.
    public let batchSize: Int?
    /// How many batches are under way at the same time.
    public let concurrency: Int
    private let body: Body

    /// A reward that looks at many responses at a time.
    /// - Parameters:
    ///   - batchSize: how many requests `body` gets at once; nil for all of a call.
    ///   - concurrency: how many batches are under way at the same time.
    ///   - body: gives one number for every request of a batch, in order. What it throws ends the call, and cancels the other batches.
    public init(batchSize: Int? = nil, concurrency: Int = 8, _ body: @escaping Body) {
        precondition(batchSize.map { $0 > 0 } ?? true, "a batch has at least one request")
        precondition(concurrency > 0, "at least one batch is under way")
        self.batchSize = batchSize
        self.concurrency = concurrency
        self.body = body
    }

    /// A reward that looks at one response at a time.
    /// - Parameters:
    ///   - concurrency: how many responses are looked at at the same time.
    ///   - body: gets a prompt, the response to it, and the reference answer where there is one.
    public static func each(
        concurrency: Int = 8,
        _ body: @escaping @Sendable (_ query: String, _ response: String, _ reference: String?) async throws -> Double
    ) -> AsyncReward {
        AsyncReward(batchSize: 1, concurrency: concurrency) { requests in
            var rewards: [Double] = []
            for request in requests { rewards.append(try await body(request.query, request.response, request.reference)) }
            return rewards
        }
    }

    /// Waits for the rewards of all requests.
    /// - Throws: the first error of the body; `CancellationError` where the task that calls is cancelled and the body heeds it;
    ///   ``RewardError/wrongCount(_:expected:)`` for a batch with more or fewer rewards than requests.
    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        let size = max(1, batchSize ?? requests.count)
        let batches = stride(from: 0, to: requests.count, by: size).map { start in
            Batch(start: start, requests: Array(requests[start..<min(start + size, requests.count)]))
        }
        let (body, concurrency, count) = (self.body, self.concurrency, requests.count)
        return try CallingThread.run { try await Self.rewards(of: batches, count: count, concurrency: concurrency, body) }
    }

    private static func rewards(of batches: [Batch], count: Int, concurrency: Int, _ body: @escaping Body) async throws -> [Double] {
        try await withThrowingTaskGroup(of: (start: Int, rewards: [Double]).self) { group in
            var rewards = Array(repeating: 0.0, count: count)
            for (number, batch) in batches.enumerated() {
                if number >= concurrency, let done = try await group.next() {
                    rewards.replaceSubrange(done.start..<done.start + done.rewards.count, with: done.rewards)
                }
                try Task.checkCancellation()
                group.addTask {
                    let rewards = try await body(batch.requests)
                    guard rewards.count == batch.requests.count else {
                        throw RewardError.wrongCount(rewards.count, expected: batch.requests.count)
                    }
                    return (batch.start, rewards)
                }
            }
            for try await done in group {
                rewards.replaceSubrange(done.start..<done.start + done.rewards.count, with: done.rewards)
            }
            return rewards
        }
    }

    /// Some requests, and the place of the first among all.
    private struct Batch: Sendable {
        let start: Int
        let requests: [RewardRequest]
    }
}
