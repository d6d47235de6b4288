public import Train

/// Displays training events: on a terminal as one line that is redrawn, elsewhere as a plain line every few seconds.
public final class Console: MetricSink {
    /// The minimum time between two redraws of a terminal, in seconds.
    static var redrawInterval: Double { 0.1 }

    private let terminal: Terminal
    private let plainInterval: Double
    private let clock: () -> Double
    private var progress: StageProgress?
    /// The progress of a part of the stage, which is displayed instead until the part ends.
    private var part: StageProgress?
    private var lastDrawn: Double?
    private var isLineDrawn = false

    /// Creates a console.
    /// - Parameters:
    ///   - terminal: The output.
    ///   - plainInterval: Seconds between two lines if the output is not a terminal.
    ///   - clock: Returns the seconds of a monotonic clock.
    public init(
        _ terminal: Terminal = .standardError(), plainInterval: Double = 5, clock: (() -> Double)? = nil
    ) {
        self.terminal = terminal
        self.plainInterval = plainInterval
        self.clock = clock ?? SteadyClock.now
    }

    deinit { clear() }

    /// Displays an event.
    public func handle(_ event: TrainingEvent) {
        let now = clock()
        switch event {
        case .began(let stage, let totalSteps, let unit, let step, let tokens):
            progress = StageProgress(stage: stage, totalSteps: totalSteps, unit: unit, step: step, tokens: tokens, time: now)
            part = nil
            lastDrawn = terminal.isInteractive ? nil : now
        case .progressed(let step, let totalSteps, let tokens, let figure):
            progress?.update(step: step, totalSteps: totalSteps, tokens: tokens, figure: figure, time: now)
            part = nil
            draw(progress, at: now)
        case .part(let done):
            handle(done, at: now)
        case .noted(let text):
            say(text)
        case .ended(let stage, let seconds):
            // progress of another name is that of a part of the stage
            let own = progress.flatMap { $0.stage == stage ? $0 : nil }
            (progress, part) = (nil, nil)
            say(own.map { ProgressLine.summary($0, seconds: seconds) } ?? "\(stage): \(Quantity.duration(seconds))")
        case .measured, .sampled:
            break
        }
    }

    /// Prints one line above the progress line.
    public func say(_ text: String) {
        clear()
        terminal.write(text + "\n")
        // redraw the progress line with the next step
        if terminal.isInteractive { lastDrawn = nil }
    }

    /// Erases the progress line.
    public func clear() {
        if isLineDrawn { terminal.write("\r\u{1B}[K") }
        isLineDrawn = false
    }

    /// Displays the progress of a part. The line of the steps comes back with the next step.
    private func handle(_ done: PartProgress, at now: Double) {
        if done.done == 0 || part?.stage != done.name {
            part = StageProgress(stage: done.name, totalSteps: done.total, unit: done.unit, time: now)
            // a log gets the first line after the usual interval
            if terminal.isInteractive { lastDrawn = nil } else { lastDrawn = lastDrawn ?? now }
        }
        part?.update(step: done.done, totalSteps: done.total, tokens: done.tokens, figure: nil, time: now)
        if done.done < done.total {
            if terminal.isInteractive || done.done > 0 { draw(part, at: now) }
        } else {
            part = nil
            clear()
            // an evaluation before the first step does not count towards the speed of the steps
            progress?.restartClock(time: now)
        }
    }

    private func draw(_ progress: StageProgress?, at now: Double) {
        guard let progress else { return }
        let interval = terminal.isInteractive ? Self.redrawInterval : plainInterval
        if let lastDrawn, now - lastDrawn < interval { return }
        lastDrawn = now
        if terminal.isInteractive {
            let line = ProgressLine.bar(progress, width: terminal.width(), unicode: terminal.showsUnicode)
            terminal.write("\r\(line)\u{1B}[K")
            isLineDrawn = true
        } else {
            terminal.write(ProgressLine.plain(progress) + "\n")
        }
    }
}
