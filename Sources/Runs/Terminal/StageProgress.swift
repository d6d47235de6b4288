public import Train

/// How far a stage is and how fast it goes: a value, told the time with every change.
public struct StageProgress: Equatable, Sendable {
    /// The rates are those of the last minute.
    static var window: Double { 60 }

    /// The stage's name.
    public private(set) var stage: String
    /// What the steps count to.
    public private(set) var totalSteps: Int
    /// Steps done.
    public private(set) var step = 0
    /// Tokens processed so far in this stage.
    public private(set) var tokens = 0
    /// The number of the last step, where it has one.
    public private(set) var figure: ProgressFigure?

    private struct Mark: Equatable, Sendable {
        var time: Double
        var step: Int
        var tokens: Int
    }
    private var marks: [Mark]
    /// Where this session began.
    private var start: Mark
    private var isFirst = true

    /// A stage that begins at `time` (seconds on any clock that never jumps).
    public init(stage: String, totalSteps: Int, time: Double) {
        self.stage = stage
        self.totalSteps = totalSteps
        start = Mark(time: time, step: 0, tokens: 0)
        marks = [start]
    }

    /// Takes in that a step is done.
    public mutating func update(step: Int, totalSteps: Int, tokens: Int, figure: ProgressFigure?, time: Double) {
        // A resumed stage does not begin at zero: what was done before it says nothing about its speed.
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
        // Two marks a second are enough; the newest one always stands.
        if marks.count > 1, time - marks[marks.count - 2].time < 0.5 {
            marks[marks.count - 1] = mark
        } else {
            marks.append(mark)
        }
        let old = marks.dropLast(2).prefix { time - $0.time > Self.window }.count
        marks.removeFirst(old)
    }

    /// Steps done ÷ all steps, in 0…1.
    public var fraction: Double {
        totalSteps > 0 ? min(1, max(0, Double(step) / Double(totalSteps))) : 0
    }

    /// nil before the first step is timed.
    public var stepsPerSecond: Double? { rate { Double($0.step) } }

    /// nil before the first step is timed, or when no token was counted.
    public var tokensPerSecond: Double? { rate { Double($0.tokens) } }

    /// The rate of the whole session so far.
    public var overallTokensPerSecond: Double? {
        guard let last = marks.last, last.time > start.time, last.tokens > start.tokens else { return nil }
        return Double(last.tokens - start.tokens) / (last.time - start.time)
    }

    /// Seconds to the end of the stage at the present rate.
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
