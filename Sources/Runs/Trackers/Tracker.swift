public import Train

/// A sink for an optional output, such as an event file, a table or a service. Its failure does not stop a run.
///
/// `metrics.jsonl` contains all metrics, so a tracker can always be brought up to date from it.
public protocol Tracker: MetricSink {
    /// The tracker's name in messages, such as `TensorBoard`.
    var name: String { get }
    /// Brings the tracker up to date with the run folder. Called when a run starts or resumes, and after a failure.
    /// - Parameter step: Discard the data of later steps; nil keeps all.
    func catchUp(cuttingTo step: Int?) throws
}

extension Tracker {
    /// Discards the data of steps after `step` and brings the tracker up to date.
    public func cutBack(to step: Int) throws { try catchUp(cuttingTo: step) }
}

/// Isolates the run from failures of a tracker: reports the first failure, retries later, and reports whether the tracker has
/// caught up.
public final class TrackerGuard: MetricSink {
    private let tracker: any Tracker
    private let note: (String) -> Void
    private let clock: () -> Double
    private var failure: (reason: String, next: Double)?
    /// Seconds until the next attempt; doubled after every failure.
    private var pause = TrackerGuard.shortestPause
    private static let shortestPause = 5.0
    private static let longestPause = 600.0

    /// Wraps a tracker.
    /// - Parameters:
    ///   - tracker: The tracker.
    ///   - clock: Returns the seconds of a monotonic clock.
    ///   - note: Receives a message when the tracker fails and when it works again.
    public init(_ tracker: any Tracker, clock: (() -> Double)? = nil, note: @escaping (String) -> Void) {
        (self.tracker, self.note) = (tracker, note)
        self.clock = clock ?? SteadyClock.now
    }

    /// Passes an event to the tracker. While the tracker is failing, retries after a pause instead.
    public func handle(_ event: TrainingEvent) {
        // a message may come from this guard itself
        if case .noted = event { return }
        var isEnd = false
        if case .ended = event { isEnd = true }
        if let failure {
            guard isEnd || clock() >= failure.next else { return }
            guard attempt({ try tracker.catchUp(cuttingTo: nil) }) else {
                if isEnd { note("\(tracker.name) has no metrics from after it failed: \(self.failure?.reason ?? failure.reason)") }
                return
            }
            note("\(tracker.name) works again and has caught up")
            // catchUp has already sent the metrics of this event
            if case .measured = event { return }
        }
        _ = attempt { try tracker.handle(event) }
    }

    /// Tells the tracker that the run resumes from `step`.
    public func cutBack(to step: Int) { _ = attempt { try tracker.catchUp(cuttingTo: step) } }

    /// Sends pending data before the run stops early.
    public func stop() { _ = attempt { try tracker.catchUp(cuttingTo: nil) } }

    /// Runs `body` and returns whether it succeeded. Reports the first failure.
    private func attempt(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            (failure, pause) = (nil, Self.shortestPause)
            return true
        } catch {
            if failure == nil { note("\(tracker.name) has failed; the run continues without it: \(error)") }
            failure = ("\(error)", clock() + pause)
            pause = min(pause * 2, Self.longestPause)
            return false
        }
    }
}
