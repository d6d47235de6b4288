import Foundation

/// A reward that is computed asynchronously, for example by a service, while the training loop waits.
///
///     let reward = AsyncReward.each(concurrency: 16) { query, response, _ in try await service.score(query, response) }
///
/// The thread that requests the rewards runs the asynchronous work itself, one job at a time, and sleeps while all of it is
/// waiting. No thread of Swift's cooperative pool is needed, so a training loop inside a task cannot starve the work that it
/// waits for. The jobs of one call therefore never run in parallel; only their waiting overlaps. Work that must run on the main
/// actor or in an unstructured task (`Task {}`) runs on its usual executor, and never finishes if the training loop blocks that
/// thread.
public struct AsyncReward: RewardFunction {
    /// Computes the rewards of a batch of requests.
    public typealias Body = @Sendable (_ requests: [RewardRequest]) async throws -> [Double]

    /// The number of requests per batch; nil for all requests of a call.
    public let batchSize: Int?
    /// The maximum number of batches in progress at the same time.
    public let concurrency: Int
    private let body: Body

    /// A reward for batches of responses.
    /// - Parameters:
    ///   - batchSize: the number of requests per batch; nil for all requests of a call.
    ///   - concurrency: the maximum number of batches in progress at the same time.
    ///   - body: returns one number per request of a batch, in order. If it throws, the call fails and the other batches are
    ///     cancelled.
    public init(batchSize: Int? = nil, concurrency: Int = 8, _ body: @escaping Body) {
        precondition(batchSize.map { $0 > 0 } ?? true, "the batch size must be at least 1")
        precondition(concurrency > 0, "the concurrency must be at least 1")
        self.batchSize = batchSize
        self.concurrency = concurrency
        self.body = body
    }

    /// A reward for single responses.
    /// - Parameters:
    ///   - concurrency: the maximum number of responses in progress at the same time.
    ///   - body: receives a prompt, the response to it, and the reference answer if there is one.
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

    /// Computes the rewards of all requests and waits for them.
    /// - Throws: the first error that the body throws; `CancellationError` if the calling task is cancelled and the body
    ///   responds to it; ``RewardError/wrongCount(_:expected:)`` if a batch has a different number of rewards than requests.
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

    /// A batch of requests, and the index of the first one among all requests.
    private struct Batch: Sendable {
        let start: Int
        let requests: [RewardRequest]
    }
}
