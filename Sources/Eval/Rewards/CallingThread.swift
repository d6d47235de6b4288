import Foundation

/// An executor whose thread is the one that waits for the result: how code that is not asynchronous runs code that is.
///
/// Blocking a thread of Swift's pool until other work of the pool is done ends in silence once all threads of the pool do so. Here the
/// waiting thread runs the work: a task prefers this executor, its children inherit the preference, and what they enqueue is taken from the
/// queue by the thread that waits.
final class CallingThread: TaskExecutor {
    /// How long the thread sleeps at most before it looks whether its own task was cancelled.
    private static let glance = 0.05

    private let queue = JobQueue()

    /// Runs `body` to its end on this thread.
    ///
    /// Where the thread runs a task that is cancelled, `body` is cancelled, too; it is waited for nevertheless.
    /// - Throws: what `body` throws.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let executor = CallingThread()
        let outcome = Outcome<Value>()
        let task = Task(executorPreference: executor) {
            do { outcome.value = .success(try await body()) } catch { outcome.value = .failure(error) }
        }
        while true {
            if let value = outcome.value {
                executor.queue.close()
                return try value.get()
            }
            if let job = executor.queue.next(patience: glance) { job.runSynchronously(on: executor.asUnownedTaskExecutor()) }
            if Task.isCancelled { task.cancel() }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // what comes after the end belongs to nobody who waits here
        if !queue.add(job) { globalConcurrentExecutor.enqueue(job) }
    }

    /// What came out. Unchecked: the task that writes it runs on the thread that reads it, one after the other.
    private final class Outcome<Value: Sendable>: @unchecked Sendable {
        var value: Result<Value, any Error>?
    }
}

/// Jobs in order of arrival. Unchecked: everything is read and written under the condition's lock.
private final class JobQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isOpen = true

    /// - Returns: false when nobody takes jobs any more.
    func add(_ job: UnownedJob) -> Bool {
        condition.withLock {
            guard isOpen else { return false }
            jobs.append(job)
            condition.signal()
            return true
        }
    }

    /// The next job; nil if none comes within so many seconds.
    func next(patience: Double) -> UnownedJob? {
        condition.withLock {
            if jobs.isEmpty { _ = condition.wait(until: Date(timeIntervalSinceNow: patience)) }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
    }

    /// Takes no more jobs, and hands on what is left.
    func close() {
        let rest = condition.withLock {
            isOpen = false
            defer { jobs = [] }
            return jobs
        }
        for job in rest { globalConcurrentExecutor.enqueue(job) }
    }
}
