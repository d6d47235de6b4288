public import Train

/// The progress and speed of a stage. It is a value type; every update includes the time.
public struct StageProgress: Equatable, Sendable {
    /// The length of the window over which rates are computed, in seconds.
    static var window: Double { 60 }
    /// The seconds, and the share of the stage's steps, from which a rate is long enough for an estimate of the remaining time.
    /// Either is sufficient.
    private static var estimateSeconds: Double { 2 }
    private static var estimateShare: Double { 0.03 }

    /// The stage's label: the name of the method.
    public private(set) var stage: String
    /// What a step is, in the singular: `step`, `response`, `prompt`.
    public private(set) var unit: String
    /// The total number of steps.
    public private(set) var totalSteps: Int
    /// The number of completed steps, including those before a resume.
    public private(set) var step: Int
    /// The number of tokens processed so far in this stage, including those before a resume.
    public private(set) var tokens: Int
    /// The loss, score or other figure of the last step, if it has one.
    public private(set) var figure: ProgressFigure?

    private struct Mark: Equatable, Sendable {
        var time: Double
        var step: Int
        var tokens: Int
    }
    private var marks: [Mark]
    /// The start of this session's steps.
    private var start: Mark

    /// Creates the progress of a stage that starts or resumes now.
    /// - Parameters:
    ///   - stage: the label of the stage.
    ///   - totalSteps: the number of steps of the whole stage.
    ///   - unit: what a step is, in the singular.
    ///   - step: the number of steps done before a resume; they do not count towards the speed.
    ///   - tokens: the number of tokens processed before a resume.
    ///   - time: the time in seconds of a monotonic clock.
    public init(stage: String, totalSteps: Int, unit: String = "step", step: Int = 0, tokens: Int = 0, time: Double) {
        (self.stage, self.unit, self.totalSteps, self.step, self.tokens) = (stage, unit, totalSteps, step, tokens)
        start = Mark(time: time, step: step, tokens: tokens)
        marks = [start]
    }

    /// Starts the clock of the steps now, unless steps were recorded: after an evaluation before the first step, which is not part of
    /// the steps' time.
    /// - Parameter time: the time in seconds of a monotonic clock.
    public mutating func restartClock(time: Double) {
        guard sessionSteps == 0 else { return }
        start.time = time
        marks = [start]
    }

    /// Records completed steps.
    public mutating func update(step: Int, totalSteps: Int, tokens: Int, figure: ProgressFigure?, time: Double) {
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

    /// The number of steps done in this session, without those before a resume.
    public var sessionSteps: Int { step - start.step }

    /// The number of tokens processed in this session, without those before a resume.
    public var sessionTokens: Int { tokens - start.tokens }

    /// The seconds from the start of this session's steps to the last completed one.
    public var sessionSeconds: Double { (marks.last?.time ?? start.time) - start.time }

    /// Tokens per second over the whole session (``sessionTokens`` per ``sessionSeconds``); nil as `tokensPerSecond`.
    public var overallTokensPerSecond: Double? {
        guard let last = marks.last, last.time > start.time, last.tokens > start.tokens else { return nil }
        return Double(last.tokens - start.tokens) / (last.time - start.time)
    }

    /// Estimated seconds to the end of the stage at the current rate; nil before 2 seconds have passed or 3 % of the steps are done in
    /// this session.
    public var remaining: Double? {
        guard sessionSeconds >= Self.estimateSeconds || Double(sessionSteps) >= Self.estimateShare * Double(totalSteps) else { return nil }
        return stepsPerSecond.map { Double(max(0, totalSteps - step)) / $0 }
    }

    private func rate(_ count: (Mark) -> Double) -> Double? {
        guard let first = marks.first, let last = marks.last, last.time > first.time, count(last) > count(first) else {
            return nil
        }
        return (count(last) - count(first)) / (last.time - first.time)
    }
}
