public import Train

/// Sends each training event to all who want it: the console, the run folder, and others.
public final class EventSinks {
    private let console: Console?
    private let run: RunFolder?
    private let others: [TrainingEventHandler]

    /// - Parameters:
    ///   - run: Its metrics and tables receive what is measured and sampled.
    ///   - others: Called last, in their order.
    public init(console: Console? = nil, run: RunFolder? = nil, others: [TrainingEventHandler] = []) {
        self.console = console
        self.run = run
        self.others = others
    }

    /// What a trainer is given.
    public var handler: TrainingEventHandler {
        { event in try self.handle(event) }
    }

    /// Passes on one event. Files come first: what people saw is then also on the disk.
    /// - Throws: What writing metrics or tables throws, and what the others throw.
    public func handle(_ event: TrainingEvent) throws {
        switch event {
        case .measured(let step, let values): try run?.metrics.append(Measurement(step: step, values: values))
        case .sampled(let table, let rows): try run?.tables.append(rows, to: table)
        case .ended(_, let seconds): try run?.addSeconds(seconds)
        case .began, .progressed, .noted: break
        }
        console?.handle(event)
        for other in others { try other(event) }
    }
}
