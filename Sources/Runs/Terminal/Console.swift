public import Train

/// Shows training events to people: on a terminal one line that is redrawn, elsewhere a plain line every few seconds.
public final class Console: MetricSink {
    /// A terminal is redrawn at most so often, in seconds.
    static var redrawInterval: Double { 0.1 }

    private let terminal: Terminal
    private let plainInterval: Double
    private let clock: () -> Double
    private var progress: StageProgress?
    private var lastDrawn: Double?
    private var isLineDrawn = false

    /// - Parameters:
    ///   - plainInterval: Seconds between two lines where nothing can be redrawn.
    ///   - clock: Seconds on a clock that never jumps.
    public init(
        _ terminal: Terminal = .standardError(), plainInterval: Double = 5, clock: (() -> Double)? = nil
    ) {
        self.terminal = terminal
        self.plainInterval = plainInterval
        self.clock = clock ?? SteadyClock.now
    }

    deinit { clear() }

    /// Shows an event.
    public func handle(_ event: TrainingEvent) {
        let now = clock()
        switch event {
        case .began(let stage, let totalSteps):
            progress = StageProgress(stage: stage, totalSteps: totalSteps, time: now)
            lastDrawn = terminal.isInteractive ? nil : now
        case .progressed(let step, let totalSteps, let tokens, let figure):
            progress?.update(step: step, totalSteps: totalSteps, tokens: tokens, figure: figure, time: now)
            draw(at: now)
        case .noted(let text):
            say(text)
        case .ended(let stage, let seconds):
            let line = progress.map { ProgressLine.summary($0, stage: stage, seconds: seconds) }
            progress = nil
            say(line ?? "\(stage): \(Quantity.duration(seconds))")
        case .measured, .sampled:
            break
        }
    }

    /// Prints one line above the progress line.
    public func say(_ text: String) {
        clear()
        terminal.write(text + "\n")
        // The next step draws the progress line again at once.
        if terminal.isInteractive { lastDrawn = nil }
    }

    /// Takes the progress line away.
    public func clear() {
        if isLineDrawn { terminal.write("\r\u{1B}[K") }
        isLineDrawn = false
    }

    private func draw(at now: Double) {
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
