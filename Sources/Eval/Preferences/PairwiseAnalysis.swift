/// Rules that turn annotators' answers to ``PairwiseTask``s into a win rate.
public struct PairwiseAnalysis: Codable, Sendable, Equatable {
    /// How a slider position becomes an outcome for the first system.
    public enum Scale: String, Codable, Sendable, CaseIterable {
        /// By its sign only: 1, 0.5 or 0 for the first system.
        case sign
        /// By its size: 0.5 + position / 8 with positions towards the first system positive, from 0 to 1.
        case weighted
    }

    /// How several answers to one task are merged.
    public enum Merging: String, Codable, Sendable, CaseIterable {
        /// The mean of their positions is used.
        case average
        /// The last answer is used.
        case override
        /// The task is left out unless all answers prefer the same side.
        case skip
    }

    /// How a neutral (merged) position is treated.
    public enum Neutral: String, Codable, Sendable, CaseIterable {
        /// It counts as a tie.
        case tie
        /// The task is left out.
        case leaveOut
    }

    /// How a slider position becomes an outcome.
    public var scale: Scale
    /// How several answers are merged.
    public var merging: Merging
    /// How neutral positions are treated.
    public var neutral: Neutral

    /// An analysis with the given rules.
    public init(scale: Scale = .sign, merging: Merging = .average, neutral: Neutral = .tie) {
        self.scale = scale
        self.merging = merging
        self.neutral = neutral
    }

    /// The outcome of each task that has answers and is not left out: 1 if the first system wins, 0 if the second wins.
    /// Attention checks are left out. If an annotator answered a task several times, only the last answer counts.
    ///
    /// - Throws: ``PairwiseAnswerError``, also for two tasks with the same ID.
    public func outcomes(tasks: [PairwiseTask], answers: [PairwiseAnswer]) throws -> [(task: String, outcome: Double)] {
        var byTask: [String: [Int]] = [:]
        var known: Set<String> = []
        for task in tasks where !known.insert(task.id).inserted { throw PairwiseAnswerError.repeatedTask(task.id) }
        for answer in answers { try Self.check(answer, tasks: known) }
        for answer in LastAnswers.of(answers, task: \.task, annotator: \.annotator) {
            byTask[answer.task, default: []].append(answer.slider)
        }
        return tasks.compactMap { task in
            guard task.check == nil, let positions = byTask[task.id], let last = positions.last else { return nil }
            if merging == .skip, Set(positions.map { $0.signum() }).count > 1 { return nil }
            let position =
                merging == .override ? Double(last) : Double(positions.reduce(0, +)) / Double(positions.count)
            let towardsFirst = task.leftIsFirstSystem ? -position : position
            if towardsFirst == 0, neutral == .leaveOut { return nil }
            switch scale {
            case .sign: return (task.id, towardsFirst > 0 ? 1 : towardsFirst < 0 ? 0 : 0.5)
            case .weighted: return (task.id, 0.5 + towardsFirst / 8)
            }
        }
    }

    /// Rejects an answer to an unknown task or with a slider position outside −4…4.
    /// - Throws: ``PairwiseAnswerError``.
    package static func check(_ answer: PairwiseAnswer, tasks: Set<String>) throws(PairwiseAnswerError) {
        guard tasks.contains(answer.task) else { throw .unknownTask(answer.task) }
        guard (-4...4).contains(answer.slider) else { throw .sliderOutOfRange(task: answer.task, slider: answer.slider) }
    }

    /// The win rate of the first system; nil if no task remains.
    /// - Throws: ``PairwiseAnswerError``.
    public func winRate(
        tasks: [PairwiseTask], answers: [PairwiseAnswer], resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) throws -> WinRate? {
        WinRate(
            outcomes: try outcomes(tasks: tasks, answers: answers).map(\.outcome), resamples: resamples,
            using: &generator)
    }
}
