import Dispatch
import Foundation
import Synchronization

/// A thread that sums buckets over all ranks, in the order in which it gets them.
///
/// It is the only thread that exchanges from its start to ``end()``: the thread that gives it buckets must not exchange in this time.
final class ExchangeThread: Sendable {
    /// The buckets that are to be summed; nil after the last one.
    private let buckets = Mutex<[BucketMemory?]>([])
    /// Counts the elements of ``buckets``.
    private let given = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)

    /// Starts the thread, which must be ended.
    /// - Parameters:
    ///   - collective: the group, which the thread uses alone.
    ///   - length: the maximum number of floats that a bucket has for a rank.
    init(among collective: any Collective, length: Int) {
        let thread = Thread { self.run(among: collective, length: length) }
        thread.name = "gradients"
        thread.start()
    }

    /// Gives the thread a bucket. Until ``end()`` has returned, nothing may write to its gradients. Never waits.
    func send(_ bucket: BucketMemory) { give(bucket) }

    /// Waits until all buckets are summed, and ends the thread.
    /// - Throws: the error of the first bucket that failed. No bucket after it has been exchanged.
    func end() throws {
        give(nil)
        ended.wait()
        if let error = failure.withLock(\.self) { throw error }
    }

    private func give(_ bucket: BucketMemory?) {
        buckets.withLock { $0.append(bucket) }
        given.signal()
    }

    private func run(among collective: any Collective, length: Int) {
        do {
            let sum = BucketSum(among: collective, length: length)
            while let bucket = next() { try sum.add(bucket) }
        } catch {
            failure.withLock { $0 = error }
        }
        ended.signal()
    }

    /// Waits for the next bucket; nil after the last one.
    private func next() -> BucketMemory? {
        given.wait()
        return buckets.withLock { $0.removeFirst() }
    }
}
