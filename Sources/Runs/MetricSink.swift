public import Train

/// Receives what happens in a run: a logger, a tracker, a plot.
public protocol MetricSink: AnyObject {
    /// Takes one event.
    /// - Throws: what keeps the event from being kept; the run ends with it.
    func handle(_ event: TrainingEvent) throws
    /// The run goes on from a step: what was received for later steps counts no more, and comes again.
    func cutBack(to step: Int) throws
}

extension MetricSink {
    public func cutBack(to step: Int) throws {}
}

/// A sink made of closures.
public final class ClosureSink: MetricSink {
    private let onEvent: (TrainingEvent) throws -> Void
    private let onCut: (Int) throws -> Void

    /// - Parameters:
    ///   - cutBack: receives the step that a run goes on from.
    ///   - handle: receives every event.
    public init(cutBack: @escaping (Int) throws -> Void = { _ in }, handle: @escaping (TrainingEvent) throws -> Void) {
        onEvent = handle
        onCut = cutBack
    }

    public func handle(_ event: TrainingEvent) throws { try onEvent(event) }
    public func cutBack(to step: Int) throws { try onCut(step) }
}

/// Sends each event to the run folder first, then to others: what people saw is then also on the disk.
public final class MetricSinks: MetricSink {
    private let run: RunFolder?
    private var others: [any MetricSink]
    /// What kept a note from being passed on; thrown with the next event.
    private var failure: (any Error)?

    /// - Parameters:
    ///   - run: its metrics and tables receive what is measured and sampled.
    ///   - others: called in their order.
    public init(run: RunFolder? = nil, _ others: [any MetricSink] = []) {
        self.run = run
        self.others = others
    }

    /// Adds a receiver behind the others.
    package func add(_ other: any MetricSink) { others.append(other) }

    /// What a trainer is given.
    public var handler: TrainingEventHandler {
        { event in try self.handle(event) }
    }

    /// - Throws: What writing metrics or tables throws, and what the others throw.
    public func handle(_ event: TrainingEvent) throws {
        if let failure { throw failure }
        switch event {
        case .measured(let step, let values): try run?.metrics.append(Measurement(step: step, values: values))
        case .sampled(let table, let rows): try run?.tables.append(rows, to: table)
        case .ended(_, let seconds): try run?.addSeconds(seconds)
        case .began, .progressed, .noted: break
        }
        for other in others { try other.handle(event) }
    }

    /// Passes a line for people on. An error that this meets is thrown with the next event.
    public func say(_ text: String) {
        do {
            try handle(.noted(text))
        } catch {
            failure = error
        }
    }

    /// The run folder is cut back by its `restore`.
    public func cutBack(to step: Int) throws { for other in others { try other.cutBack(to: step) } }
}
