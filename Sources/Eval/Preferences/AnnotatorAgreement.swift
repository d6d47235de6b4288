internal import Data
internal import Foundation

/// Agreement between annotators who answered the same tasks, and statistics for each annotator and task.
public struct AnnotatorAgreement: Codable, Equatable, Sendable {
    /// An answer reduced to what agreement needs.
    public struct Answer: Sendable {
        /// The ID of the task.
        public var task: String
        /// The name of the annotator.
        public var annotator: String
        /// The answer as a number: a slider position, or a rank.
        public var value: Double
        /// The time the answer took in seconds; nil if it is unknown.
        public var seconds: Double?

        /// An answer.
        public init(task: String, annotator: String, value: Double, seconds: Double? = nil) {
            (self.task, self.annotator, self.value, self.seconds) = (task, annotator, value, seconds)
        }
    }

    /// The agreement of two annotators.
    public struct Pair: Codable, Equatable, Sendable {
        /// The names of the two annotators.
        public var first, second: String
        /// The number of tasks that both answered.
        public var tasks: Int
        /// The fraction of these tasks in which both chose the same side; a neutral answer counts as a separate side.
        public var sameSide: Double
        /// Cohen's κ of the sides; nil if it is undefined.
        public var kappa: Double?
    }

    /// Statistics of one annotator.
    public struct Annotator: Codable, Equatable, Sendable {
        /// The name of the annotator.
        public var annotator: String
        /// The number of answered tasks.
        public var tasks: Int
        /// The mean time per answer in seconds; nil if no answer has a time.
        public var meanSeconds: Double?
        /// The fraction of shared tasks in which the annotator's side is that of the mean of the others' answers; nil if there
        /// is no shared task.
        public var agreementWithOthers: Double?
        /// The fraction of neutral answers, and the fraction of answers that prefer the left text.
        public var neutralShare, leftShare: Double
    }

    /// Statistics of one task.
    public struct Task: Codable, Equatable, Sendable {
        /// The ID of the task.
        public var task: String
        /// The number of annotators who answered it.
        public var annotators: Int
        /// The mean of their answers.
        public var mean: Double
        /// The sample standard deviation of their answers; nil for a single answer.
        public var spread: Double?
    }

    /// Krippendorff's α by level of measurement (`nominal`, `ordinal`, `interval`), over tasks with at least two answers, with
    /// 95 % bootstrap intervals over these tasks. A resample in which α is undefined counts as the estimate. `nominal` compares
    /// sides; the others compare positions. A level for which α is undefined is missing.
    public var alpha: [String: Interval]
    /// The number of tasks with at least two answers.
    public var sharedTasks: Int
    /// Every pair of annotators with a task in common, sorted by name.
    public var pairs: [Pair]
    /// The annotators, sorted by name.
    public var annotators: [Annotator]
    /// The tasks, in the order of their first answers.
    public var tasks: [Task]

    /// Compares answers; if an annotator answered a task several times, the last answer counts.
    /// - Parameters:
    ///   - answers: the answers of all annotators.
    ///   - resamples: the number of bootstrap resamples.
    ///   - generator: source of randomness for the bootstrap.
    /// - Returns: nil for answers of fewer than two annotators.
    public init?(_ answers: [Answer], resamples: Int = 2000, using generator: inout some RandomNumberGenerator) {
        var order: [String] = []
        var byTask: [String: [String: Answer]] = [:]
        for answer in answers {
            if byTask[answer.task] == nil { order.append(answer.task) }
            byTask[answer.task, default: [:]][answer.annotator] = answer
        }
        let names = Set(answers.map(\.annotator)).sorted()
        guard names.count > 1 else { return nil }

        let shared = order.compactMap { byTask[$0] }.filter { $0.count > 1 }
        sharedTasks = shared.count
        var alpha: [String: Interval] = [:]
        for level in KrippendorffAlpha.Level.allCases {
            let units = shared.map { answers in
                answers.sorted { $0.key < $1.key }.map { level == .nominal ? Double($0.value.value.sign()) : $0.value.value }
            }
            guard let estimate = KrippendorffAlpha.alpha(units, level: level) else { continue }
            alpha[level.rawValue] = Bootstrap.statistic(count: units.count, resamples: resamples, using: &generator) { indices in
                KrippendorffAlpha.alpha(indices.map { units[$0] }, level: level) ?? estimate
            }
        }
        self.alpha = alpha

        pairs = names.indices.flatMap { i in
            names.indices.dropFirst(i + 1).compactMap { j -> Pair? in
                let both = shared.compactMap { answers in
                    answers[names[i]].flatMap { one in answers[names[j]].map { (one.value.sign(), $0.value.sign()) } }
                }
                guard !both.isEmpty else { return nil }
                return Pair(
                    first: names[i], second: names[j], tasks: both.count, sameSide: Double(both.count { $0 == $1 }) / Double(both.count),
                    kappa: CohenKappa.kappa(both.map(\.0), both.map(\.1)))
            }
        }
        annotators = names.map { name in
            let own = order.compactMap { byTask[$0]?[name] }
            let seconds = own.compactMap(\.seconds)
            let compared = own.compactMap { answer -> Bool? in
                let others = (byTask[answer.task] ?? [:]).filter { $0.key != name }.values.map(\.value)
                guard !others.isEmpty else { return nil }
                return (others.reduce(0, +) / Double(others.count)).sign() == answer.value.sign()
            }
            func share(_ count: Int, of all: Int) -> Double { Double(count) / Double(max(1, all)) }
            return Annotator(
                annotator: name, tasks: own.count, meanSeconds: seconds.isEmpty ? nil : seconds.reduce(0, +) / Double(seconds.count),
                agreementWithOthers: compared.isEmpty ? nil : share(compared.count { $0 }, of: compared.count),
                neutralShare: share(own.count { $0.value == 0 }, of: own.count), leftShare: share(own.count { $0.value < 0 }, of: own.count)
            )
        }
        tasks = order.map { task in
            let values = (byTask[task] ?? [:]).sorted { $0.key < $1.key }.map(\.value.value)
            let mean = values.reduce(0, +) / Double(max(1, values.count))
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            return Task(
                task: task, annotators: values.count, mean: mean,
                spread: values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil)
        }
    }
}

extension Double {
    /// The sign: −1, 0 or 1.
    fileprivate func sign() -> Int { self < 0 ? -1 : self > 0 ? 1 : 0 }
}
