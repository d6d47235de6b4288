internal import Data
internal import Foundation

/// How far several people agree about the same tasks, and how each of them answers.
public struct AnnotatorAgreement: Codable, Equatable, Sendable {
    /// An answer as agreement sees it.
    public struct Answer: Sendable {
        /// The task.
        public var task: String
        /// Who answered.
        public var annotator: String
        /// What was answered: a position of the slider, or a rank.
        public var value: Double
        /// Seconds that the answer took, where they are known.
        public var seconds: Double?

        /// An answer.
        public init(task: String, annotator: String, value: Double, seconds: Double? = nil) {
            (self.task, self.annotator, self.value, self.seconds) = (task, annotator, value, seconds)
        }
    }

    /// Two people.
    public struct Pair: Codable, Equatable, Sendable {
        /// Their names.
        public var first, second: String
        /// Tasks that both have answered.
        public var tasks: Int
        /// The share of these in which both chose the same side; a neutral answer is a side of its own.
        public var sameSide: Double
        /// Cohen's κ of the sides; nil where it is not defined.
        public var kappa: Double?
    }

    /// One person.
    public struct Annotator: Codable, Equatable, Sendable {
        /// The name.
        public var annotator: String
        /// Answered tasks.
        public var tasks: Int
        /// Mean seconds for an answer; nil where no answer says.
        public var meanSeconds: Double?
        /// The share of tasks in which the side is that of the mean of the others' answers; nil without a task that others answered.
        public var agreementWithOthers: Double?
        /// The share of neutral answers, and of those for the left text.
        public var neutralShare, leftShare: Double
    }

    /// One task.
    public struct Task: Codable, Equatable, Sendable {
        /// The task.
        public var task: String
        /// How many people answered it.
        public var annotators: Int
        /// The mean of their answers, and its sample standard deviation; nil for a single answer.
        public var mean: Double
        public var spread: Double?
    }

    /// Krippendorff's α by level of measurement, over tasks with two answers or more, with 95 % bootstrap intervals over these tasks. A resample
    /// in which α is not defined counts as the estimate. `nominal` compares sides, the others positions. Empty where α is not defined.
    public var alpha: [String: Interval]
    /// Tasks with two answers or more.
    public var sharedTasks: Int
    /// Every two people with a task in common, by name.
    public var pairs: [Pair]
    /// By name.
    public var annotators: [Annotator]
    /// In the order of their first answers.
    public var tasks: [Task]

    /// Compares answers; of several by one person to one task the last counts.
    /// - Parameter resamples: of the bootstrap.
    /// - Returns: nil for answers of fewer than two people.
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
    /// −1, 0 or 1.
    fileprivate func sign() -> Int { self < 0 ? -1 : self > 0 ? 1 : 0 }
}
