import Synchronization

extension Compute {
    /// The profile that receives the times of this scope's operations; nil for none.
    @TaskLocal package static var profile: ComputeProfile?

    /// Calls `body` and adds its time to the operation `name` in the profile of the scope, if there is one. Operations within it
    /// count separately.
    package static func timed<Value, Failure: Error>(
        _ name: @autoclosure () -> String, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        guard let profile else { return try body() }
        profile.begin(name())
        defer { profile.end() }
        return try body()
    }
}

/// The time of each operation and the idle time of each thread, from the creation of the profile on.
///
///     let profile = ComputeProfile()
///     Compute.$profile.withValue(profile) { … }
///     print(profile.report)
///
/// Operations are those of the thread that creates the profile. The times of the threads are those of the process's pool, whoever
/// uses it.
package final class ComputeProfile: Sendable {
    private struct Sum {
        var calls = 0
        var time = Duration.zero
    }

    private struct State {
        var sums: [String: Sum] = [:]
        /// The operations that are running, the innermost last.
        var running: [String] = []
        /// When the innermost operation began, or one within it ended.
        var mark = ContinuousClock.now

        /// Adds the time since the mark to the innermost operation.
        mutating func settle() {
            let now = ContinuousClock.now
            if let name = running.last { sums[name, default: Sum()].time += mark.duration(to: now) }
            mark = now
        }
    }

    private let start = ContinuousClock.now
    private let thread = Kernels.thread
    private let earlier: (jobs: Int, seconds: Double, busy: [Double])
    private let state = Mutex(State())

    /// Starts a profile.
    package init() {
        Kernels.measurePool(true)
        earlier = Kernels.poolTimes
    }

    deinit { Kernels.measurePool(false) }

    /// The name of a function in profiles: that of its file and its own, such as "Normalisation.rmsNormalised".
    static func name(_ function: StaticString, _ file: StaticString) -> String {
        let (file, function) = ("\(file)", "\(function)")
        let stem = file.split(separator: "/").last?.prefix { $0 != "." } ?? ""
        return "\(stem).\(function.prefix { $0 != "(" })"
    }

    /// Starts an operation within the one that is running. Calls of other threads have no effect.
    func begin(_ name: String) {
        guard Kernels.thread == thread else { return }
        state.withLock {
            $0.settle()
            $0.running.append(name)
        }
    }

    /// Ends the operation that began last. Calls of other threads have no effect.
    func end() {
        guard Kernels.thread == thread else { return }
        state.withLock {
            $0.settle()
            if let name = $0.running.popLast() { $0.sums[name, default: Sum()].calls += 1 }
        }
    }

    /// The times until now.
    package var report: ComputeReport {
        let seconds = start.duration(to: .now) / .seconds(1)
        let sums = state.withLock { $0.sums }
        let operations = sums.map { name, sum in
            let own = sum.time / .seconds(1)
            return ComputeReport.Operation(name: name, calls: sum.calls, seconds: own, share: own / max(seconds, 1e-9))
        }.sorted { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
        let pool = Kernels.poolTimes
        let jobSeconds = pool.seconds - earlier.seconds
        let threads = pool.busy.enumerated().map { index, busy in
            let own = busy - (index < earlier.busy.count ? earlier.busy[index] : 0)
            return ComputeReport.Thread(busySeconds: own, idleSeconds: max(0, (index == 0 ? jobSeconds : seconds) - own))
        }
        return ComputeReport(
            seconds: seconds, otherSeconds: max(0, seconds - operations.reduce(0) { $0 + $1.seconds }), operations: operations,
            jobs: pool.jobs - earlier.jobs, jobSeconds: jobSeconds, threads: threads)
    }
}

/// What a ``ComputeProfile`` measured. All times are wall-clock seconds.
package struct ComputeReport: Codable, Sendable, Equatable {
    /// The time of one operation.
    package struct Operation: Codable, Sendable, Equatable {
        /// The file and the function of an operation, or the operation of the backward pass.
        package var name: String
        /// The number of calls.
        package var calls: Int
        /// The time in all calls, without operations within them.
        package var seconds: Double
        /// The fraction of the whole time.
        package var share: Double
    }

    /// The time of one thread.
    package struct Thread: Codable, Sendable, Equatable {
        /// The time in which it worked in jobs of the pool.
        package var busySeconds: Double
        /// The remaining time. For the calling thread: the time in which it waited for the workers of a job.
        package var idleSeconds: Double

        enum CodingKeys: String, CodingKey {
            case busySeconds = "busy_seconds"
            case idleSeconds = "idle_seconds"
        }
    }

    /// The whole time.
    package var seconds: Double
    /// The time outside of all operations.
    package var otherSeconds: Double
    /// The operations, the longest first.
    package var operations: [Operation]
    /// The number of jobs that ran on several threads.
    package var jobs: Int
    /// The time in which such a job ran. During the rest of the whole time, a single thread worked.
    package var jobSeconds: Double
    /// The threads: first the calling thread, then the workers of the pool.
    package var threads: [Thread]

    enum CodingKeys: String, CodingKey {
        case seconds, operations, jobs, threads
        case otherSeconds = "other_seconds"
        case jobSeconds = "job_seconds"
    }
}
