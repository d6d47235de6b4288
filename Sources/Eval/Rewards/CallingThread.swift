import Foundation

/// A task executor whose thread is the one that waits for the result; it lets synchronous code run asynchronous code.
///
/// If synchronous code blocked threads of Swift's cooperative pool while waiting for other work in that pool, it would deadlock
/// once all threads were blocked. Here, the waiting thread runs the work: a task prefers this executor, its child tasks inherit
/// the preference, and the waiting thread takes their jobs from a queue.
final class CallingThread: TaskExecutor {
    /// The maximum time in seconds that the thread sleeps before it checks whether its own task was cancelled.
    private static let glance = 0.05

    private let queue = JobQueue()

    /// Runs `body` to completion on the calling thread.
    ///
    /// If the calling thread runs a task and that task is cancelled, `body` is cancelled as well, but the call still waits for
    /// it.
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
        // jobs that arrive after the end are not awaited here
        if !queue.add(job) { globalConcurrentExecutor.enqueue(job) }
    }

    /// The result of the task. Unchecked: the task that writes it runs on the thread that reads it, never at the same time.
    private final class Outcome<Value: Sendable>: @unchecked Sendable {
        var value: Result<Value, any Error>?
    }
}

/// A queue of jobs in order of arrival. Unchecked: all state is accessed under the condition's lock.
private final class JobQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isOpen = true

    /// Adds a job.
    /// - Returns: false if the queue is closed.
    func add(_ job: UnownedJob) -> Bool {
        condition.withLock {
            guard isOpen else { return false }
            jobs.append(job)
            condition.signal()
            return true
        }
    }

    /// The next job; nil if none arrives within `patience` seconds.
    func next(patience: Double) -> UnownedJob? {
        condition.withLock {
            if jobs.isEmpty { _ = condition.wait(until: Date(timeIntervalSinceNow: patience)) }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
    }

    /// Closes the queue and passes the remaining jobs to the global executor.
    func close() {
        let rest = condition.withLock {
            isOpen = false
            defer { jobs = [] }
            return jobs
        }
        for job in rest { globalConcurrentExecutor.enqueue(job) }
    }
}
