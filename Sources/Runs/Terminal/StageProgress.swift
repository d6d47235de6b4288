public import Train

/// The progress and speed of a stage. It is a value type; every update includes the time.
public struct StageProgress: Equatable, Sendable {
    /// The length of the window over which rates are computed, in seconds.
    static var window: Double { 60 }

    /// The stage's name.
    public private(set) var stage: String
    /// The total number of steps.
    public private(set) var totalSteps: Int
    /// The number of completed steps.
    public private(set) var step = 0
    /// The number of tokens processed so far in this stage.
    public private(set) var tokens = 0
    /// The loss, score or other figure of the last step, if it has one.
    public private(set) var figure: ProgressFigure?

    private struct Mark: Equatable, Sendable {
        var time: Double
        var step: Int
        var tokens: Int
    }
    private var marks: [Mark]
    /// The start of this session.
    private var start: Mark
    private var isFirst = true

    /// Creates the progress of a stage that starts at `time`, in seconds of a monotonic clock.
    public init(stage: String, totalSteps: Int, time: Double) {
        self.stage = stage
        self.totalSteps = totalSteps
        start = Mark(time: time, step: 0, tokens: 0)
        marks = [start]
    }

    /// Records a completed step.
    public mutating func update(step: Int, totalSteps: Int, tokens: Int, figure: ProgressFigure?, time: Double) {
        // in a resumed stage, the steps before the resume do not count towards its speed
        if isFirst && step > 1 {
            start = Mark(time: time, step: step, tokens: tokens)
            marks = []
        }
        isFirst = false
        self.step = step
        self.totalSteps = totalSteps
        self.tokens = tokens
        self.figure = figure
        let mark = Mark(time: time, step: step, tokens: tokens)
        // two marks per second are sufficient; the newest one is always kept
        if marks.count > 1, time - marks[marks.count - 2].time < 0.5 {
            marks[marks.count - 1] = mark
        } else {
            marks.append(mark)
        }
        let old = marks.dropLast(2).prefix { time - $0.time > Self.window }.count
        marks.removeFirst(old)
    }

    /// The fraction of completed steps, in 0…1.
    public var fraction: Double {
        totalSteps > 0 ? min(1, max(0, Double(step) / Double(totalSteps))) : 0
    }

    /// Steps per second over the last minute; nil before the first step has been timed.
    public var stepsPerSecond: Double? { rate { Double($0.step) } }

    /// Tokens per second over the last minute; nil before the first step has been timed, or if no tokens are counted.
    public var tokensPerSecond: Double? { rate { Double($0.tokens) } }

    /// Tokens per second over the whole session; nil as `tokensPerSecond`.
    public var overallTokensPerSecond: Double? {
        guard let last = marks.last, last.time > start.time, last.tokens > start.tokens else { return nil }
        return Double(last.tokens - start.tokens) / (last.time - start.time)
    }

    /// Estimated seconds to the end of the stage at the current rate; nil before the first step has been timed.
    public var remaining: Double? {
        stepsPerSecond.map { Double(max(0, totalSteps - step)) / $0 }
    }

    private func rate(_ count: (Mark) -> Double) -> Double? {
        guard let first = marks.first, let last = marks.last, last.time > first.time, count(last) > count(first) else {
            return nil
        }
        return (count(last) - count(first)) / (last.time - first.time)
    }
}
