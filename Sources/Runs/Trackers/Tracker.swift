public import Train

/// A sink outside of what a run needs: an event file, a table, a service. Its failure stops no run.
///
/// `metrics.jsonl` holds every number, so a tracker can always be brought up to date from it.
public protocol Tracker: MetricSink {
    /// What messages call it: `TensorBoard`.
    var name: String { get }
    /// Brings it up to date with what the run folder holds; called where a run begins or goes on, and after a failure.
    /// - Parameter step: numbers of later steps do not count any more; nil where all do.
    func catchUp(cuttingTo step: Int?) throws
}

extension Tracker {
    public func cutBack(to step: Int) throws { try catchUp(cuttingTo: step) }
}

/// Keeps the failures of a tracker from the run: says the first one, tries again later, and says whether it caught up.
public final class TrackerGuard: MetricSink {
    private let tracker: any Tracker
    private let note: (String) -> Void
    private let clock: () -> Double
    private var failure: (reason: String, next: Double)?
    /// Seconds to the next attempt; doubled with every failure.
    private var pause = TrackerGuard.shortestPause
    private static let shortestPause = 5.0
    private static let longestPause = 600.0

    /// - Parameters:
    ///   - note: receives a line when the tracker fails, and when it works again.
    ///   - clock: seconds on a clock that never jumps.
    public init(_ tracker: any Tracker, clock: (() -> Double)? = nil, note: @escaping (String) -> Void) {
        (self.tracker, self.note) = (tracker, note)
        self.clock = clock ?? SteadyClock.now
    }

    public func handle(_ event: TrainingEvent) {
        // a line for people may be the guard's own
        if case .noted = event { return }
        var isEnd = false
        if case .ended = event { isEnd = true }
        if let failure {
            guard isEnd || clock() >= failure.next else { return }
            guard attempt({ try tracker.catchUp(cuttingTo: nil) }) else {
                if isEnd { note("\(tracker.name) lacks what was measured since it failed: \(self.failure?.reason ?? failure.reason)") }
                return
            }
            note("\(tracker.name) works again and has caught up")
            // what was measured is there by now
            if case .measured = event { return }
        }
        _ = attempt { try tracker.handle(event) }
    }

    public func cutBack(to step: Int) { _ = attempt { try tracker.catchUp(cuttingTo: step) } }

    /// The run ends before its last step: what has not been sent is sent now.
    public func stop() { _ = attempt { try tracker.catchUp(cuttingTo: nil) } }

    /// Whether the body worked; its failure is said where it is the first.
    private func attempt(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            (failure, pause) = (nil, Self.shortestPause)
            return true
        } catch {
            if failure == nil { note("\(tracker.name) fails, and the run goes on without it: \(error)") }
            failure = ("\(error)", clock() + pause)
            pause = min(pause * 2, Self.longestPause)
            return false
        }
    }
}
