public import Train

/// A receiver of training events, such as a logger, a tracker or a plot.
public protocol MetricSink: AnyObject {
    /// Handles one event.
    /// - Throws: An error that stops the run.
    func handle(_ event: TrainingEvent) throws
    /// Tells the sink that the run resumes from `step`: events of later steps are invalid and will be sent again.
    func cutBack(to step: Int) throws
}

extension MetricSink {
    /// Does nothing.
    public func cutBack(to step: Int) throws {}
}

/// A sink made of closures.
public final class ClosureSink: MetricSink {
    private let onEvent: (TrainingEvent) throws -> Void
    private let onCut: (Int) throws -> Void

    /// Creates a sink.
    /// - Parameters:
    ///   - cutBack: Receives the step from which a run resumes.
    ///   - handle: Receives every event.
    public init(cutBack: @escaping (Int) throws -> Void = { _ in }, handle: @escaping (TrainingEvent) throws -> Void) {
        onEvent = handle
        onCut = cutBack
    }

    /// Passes the event to the closure.
    public func handle(_ event: TrainingEvent) throws { try onEvent(event) }
    /// Passes the step to the closure.
    public func cutBack(to step: Int) throws { try onCut(step) }
}

/// Sends each event first to the run folder and then to other sinks, so that everything that they show is already on disk.
public final class MetricSinks: MetricSink {
    private let run: RunFolder?
    private var others: [any MetricSink]
    /// The error of a `say` call, thrown with the next event.
    private var failure: (any Error)?

    /// Creates a group of sinks.
    /// - Parameters:
    ///   - run: The run folder whose metrics and tables record the events; nil for none.
    ///   - others: Other sinks, which are called in order.
    public init(run: RunFolder? = nil, _ others: [any MetricSink] = []) {
        self.run = run
        self.others = others
    }

    /// Adds a sink, which is called after the others.
    package func add(_ other: any MetricSink) { others.append(other) }

    /// The event handler to pass to a trainer.
    public var handler: TrainingEventHandler {
        { event in try self.handle(event) }
    }

    /// Records the event in the run folder and passes it to the other sinks.
    /// - Throws: An error of writing metrics or tables, or of one of the sinks.
    public func handle(_ event: TrainingEvent) throws {
        if let failure { throw failure }
        switch event {
        case .measured(let step, let values): try run?.metrics.append(Measurement(step: step, values: values))
        case .sampled(let table, let rows): try run?.tables.append(rows, to: table)
        case .ended(_, let seconds): try run?.addSeconds(seconds)
        case .began, .progressed, .part, .noted: break
        }
        for other in others { try other.handle(event) }
    }

    /// Sends a message for the user to all sinks. An error is thrown with the next event.
    public func say(_ text: String) {
        do {
            try handle(.noted(text))
        } catch {
            failure = error
        }
    }

    /// Passes the step to the other sinks. The run folder itself is truncated by `RunFolder.restore`.
    public func cutBack(to step: Int) throws { for other in others { try other.cutBack(to: step) } }
}
