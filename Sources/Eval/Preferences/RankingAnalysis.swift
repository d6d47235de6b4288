/// Results of rankings for each system against the reference: 1 where it is ranked above, 0 below, 0.5 for equal ranks.
public struct RankingAnalysis: Codable, Sendable, Equatable {
    /// What is known of one system.
    public struct System: Codable, Sendable, Equatable {
        /// Its name.
        public var name: String
        /// How often it is ranked above the reference; the answers to one task are averaged first.
        public var againstReference: WinRate
    }

    /// The systems in the order of their names.
    public var systems: [System]
    /// Tasks with an answer.
    public var tasks: Int
    /// Over all pairs of people who ranked the same task, and all systems in it: the share in which they do not agree whether it
    /// is above the reference. Nil where no task has two.
    public var disagreement: Double?
    /// Over all people and systems: the share in which they agree with the model judge; nil without one, or without a task in common.
    public var agreementWithJudge: Double?

    /// Analyses answers.
    ///
    /// - Parameters:
    ///   - tasks: the tasks that were ranked.
    ///   - answers: the answers of all annotators. If an annotator answered a task several times, only the last answer counts.
    ///   - judge: the annotator whose answers are a model's. They count for ``agreementWithJudge`` alone.
    ///   - resamples: the number of bootstrap resamples of the win rates.
    ///   - generator: source of randomness for the bootstrap.
    /// - Returns: nil if no task has an answer of people.
    /// - Throws: ``RankingError``; ``PairwiseAnswerError/unknownTask(_:)``.
    public init?(
        tasks: [RankingTask], answers: [RankingAnswer], judge: String? = nil, resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) throws {
        let known = try Self.byName(tasks)
        var people: [String: [[String: Double]]] = [:]
        var judged: [String: [String: Double]] = [:]
        let checked = try answers.map { (answer: $0, outcomes: try Self.outcomes(of: $0, to: known)) }
        for (answer, outcomes) in LastAnswers.of(checked, task: \.answer.task, annotator: \.answer.annotator) {
            if answer.annotator == judge {
                judged[answer.task] = outcomes
            } else {
                people[answer.task, default: []].append(outcomes)
            }
        }
        var means: [String: [Double]] = [:]
        var disagreements: [Double] = []
        var agreements: [Double] = []
        for task in tasks {
            guard let answers = people[task.id] else { continue }
            for system in task.systems where system != RankingTask.reference {
                let own = answers.compactMap { $0[system] }
                means[system, default: []].append(own.reduce(0, +) / Double(own.count))
                for i in own.indices { disagreements += own[..<i].map { $0 == own[i] ? 0 : 1 } }
                if let verdict = judged[task.id]?[system] { agreements += own.map { $0 == verdict ? 1 : 0 } }
            }
        }
        guard !people.isEmpty else { return nil }
        var systems: [System] = []
        for (name, outcomes) in means.sorted(by: { $0.key < $1.key }) {
            guard let rate = WinRate(outcomes: outcomes, resamples: resamples, using: &generator) else { continue }
            systems.append(System(name: name, againstReference: rate))
        }
        self.systems = systems
        self.tasks = people.count
        disagreement = Statistics.mean(of: disagreements)
        agreementWithJudge = Statistics.mean(of: agreements)
    }

    /// Rankings as answers to pairs, for ``AnnotatorAgreement``: one for every two texts of a task, −1 where the one shown earlier has the better
    /// rank, 1 where the later one has, 0 for equal ranks. The time of a ranking is divided among its pairs.
    public static func comparisons(in answers: [RankingAnswer]) -> [AnnotatorAgreement.Answer] {
        answers.flatMap { answer in
            let count = Double(answer.ranks.count * (answer.ranks.count - 1) / 2)
            return answer.ranks.indices.flatMap { j in
                answer.ranks[..<j].indices.map { i in
                    AnnotatorAgreement.Answer(
                        task: "\(answer.task): texts \(i + 1) and \(j + 1)", annotator: answer.annotator,
                        value: Double((answer.ranks[i] - answer.ranks[j]).signum()), seconds: answer.seconds.map { $0 / count })
                }
            }
        }
    }

    /// Tasks by their names.
    /// - Throws: ``RankingError/repeatedTask(_:)``.
    package static func byName(_ tasks: [RankingTask]) throws(RankingError) -> [String: RankingTask] {
        var known: [String: RankingTask] = [:]
        for task in tasks where known.updateValue(task, forKey: task.id) != nil { throw .repeatedTask(task.id) }
        return known
    }

    /// Each system's outcome against the reference in one answer.
    /// - Throws: ``RankingError``; ``PairwiseAnswerError/unknownTask(_:)``.
    @discardableResult
    package static func outcomes(of answer: RankingAnswer, to tasks: [String: RankingTask]) throws -> [String: Double] {
        guard let task = tasks[answer.task] else { throw PairwiseAnswerError.unknownTask(answer.task) }
        if let rank = answer.ranks.first(where: { $0 < 1 }) { throw RankingError.rankOutOfRange(task: task.id, rank: rank) }
        guard answer.ranks.count == task.systems.count else {
            throw RankingError.wrongCount(task: task.id, ranks: answer.ranks.count, texts: task.systems.count)
        }
        guard let place = task.systems.firstIndex(of: RankingTask.reference) else {
            throw RankingError.noReference(task: task.id)
        }
        var outcomes: [String: Double] = [:]
        for (system, rank) in zip(task.systems, answer.ranks) where system != RankingTask.reference {
            outcomes[system] = rank < answer.ranks[place] ? 1 : rank > answer.ranks[place] ? 0 : 0.5
        }
        return outcomes
    }
}

/// What is wrong with rankings.
public enum RankingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An answer with another number of ranks than there are texts.
    case wrongCount(task: String, ranks: Int, texts: Int)
    /// A rank below 1.
    case rankOutOfRange(task: String, rank: Int)
    /// A task without a text of the reference.
    case noReference(task: String)
    /// Two tasks of one name: answers do not say which of them is meant.
    case repeatedTask(String)

    /// One line: which task and why.
    public var description: String {
        switch self {
        case .wrongCount(let task, let ranks, let texts):
            "an answer to task \(task) has \(ranks) ranks for \(texts) texts; expected one rank per text, 1 for the best"
        case .rankOutOfRange(let task, let rank): "an answer to task \(task) has the rank \(rank); ranks must be integers from 1 (the best)"
        case .noReference(let task): "task \(task) has no \(RankingTask.reference) text"
        case .repeatedTask(let task): "there are two tasks with the id \(task); give every task a unique id"
        }
    }
}
