import Eval
import Formats
import Foundation
import Study

/// An annotator's answer to a task, of either form.
protocol AnnotatorAnswer: Codable {
    /// The ID of the task.
    var task: String { get }
    /// The name of the annotator.
    var annotator: String { get }
    /// Whether another answer to the same task says the same, whatever time it took.
    func saysTheSame(as other: Self) -> Bool
}

extension PairwiseAnswer: AnnotatorAnswer {
    func saysTheSame(as other: PairwiseAnswer) -> Bool { slider == other.slider }
}

extension RankingAnswer: AnnotatorAnswer {
    func saysTheSame(as other: RankingAnswer) -> Bool { ranks == other.ranks }
}

/// Reading the tasks for annotators, and their answers.
extension SystemPreferences {
    // MARK: Tasks

    /// The pairwise tasks in a file.
    /// - Throws: `FormatError`, also for two tasks with the same ID.
    func pairs(in file: URL) throws -> [PairwiseTask] { try Self.unique(Self.located(file)) }

    /// The ranking tasks in a file; nil if the file contains pairwise tasks.
    /// - Throws: `FormatError`, also for two tasks with the same ID.
    func rankings(in file: URL) throws -> [RankingTask]? {
        let tasks: [(task: RankingTask, location: RowLocation)]
        do {
            tasks = try Self.located(file)
        } catch FormatError.badRow {
            return nil
        }
        return try Self.unique(tasks)
    }

    private static func located<Task: Codable>(_ file: URL) throws -> [(task: Task, location: RowLocation)] {
        var tasks: [(task: Task, location: RowLocation)] = []
        try JSONLines<Task>(file).readEach { task, location in tasks.append((task, location)) }
        return tasks
    }

    /// Rejects tasks with the same ID: answers would not say which of them is meant.
    private static func unique<Task: Identifiable<String>>(_ tasks: [(task: Task, location: RowLocation)]) throws -> [Task] {
        var known: [String: RowLocation] = [:]
        for (task, location) in tasks {
            guard let earlier = known.updateValue(location, forKey: task.id) else { continue }
            throw FormatError.badRow(
                location, .unfit("the task at \(earlier) has the same id '\(task.id)'; give every task a unique id"))
        }
        return tasks.map(\.task)
    }

    // MARK: Answers

    private struct AnswerKey: Hashable {
        var task: String
        var annotator: String
    }

    /// Reads the answers of annotators from all files. An annotator counts once for each task: of equal answers the last is kept,
    /// and of different ones too, if the setting for merging says so. A note tells how many answers were replaced.
    /// - Parameters:
    ///   - listener: receives the note.
    ///   - check: rejects an answer that does not fit its task.
    /// - Throws: an error with file and line for an answer that does not fit its task, or that contradicts an earlier one of the
    ///   same annotator.
    func readAnswers<Answer: AnnotatorAnswer>(_ listener: ReportListener, check: (Answer) throws -> Void) throws -> [Answer] {
        // rankings are not merged by the setting
        let replaces = Answer.self == PairwiseAnswer.self && preferences.analysis.merging == .override
        var answers: [Answer?] = []
        var known: [AnswerKey: (index: Int, location: RowLocation)] = [:]
        var repeated: [RowLocation] = []
        for path in preferences.preferenceAnswers {
            try JSONLines<Answer>(URL(fileURLWithPath: path)).readEach { answer, location in
                do {
                    try check(answer)
                } catch {
                    throw RowProblem.unfit("\(error)")
                }
                let key = AnswerKey(task: answer.task, annotator: answer.annotator)
                if let earlier = known[key] {
                    guard replaces || answers[earlier.index]?.saysTheSame(as: answer) ?? true else {
                        throw RowProblem.unfit(
                            "\(answer.annotator) answered the task '\(answer.task)' differently at \(earlier.location); keep one of the "
                                + "two answers"
                                + (Answer.self == PairwiseAnswer.self ? ", or count the last with --answer-merging override" : ""))
                    }
                    answers[earlier.index] = nil
                    repeated.append(location)
                }
                known[key] = (answers.count, location)
                answers.append(answer)
            }
        }
        if let first = repeated.first {
            listener.note(
                "\(repeated.count) answers are by an annotator who answered the same task before, the first at \(first); of these, only "
                    + "the last one counts")
        }
        return answers.compactMap { $0 }
    }

    /// Checks that the annotator who is a model has answers.
    /// - Parameter names: the names of all annotators.
    /// - Throws: `InvalidSetting` with these names and the most similar one.
    func checkJudgeAnnotator(among names: Set<String>) throws {
        guard let judge = preferences.judgeAnnotator, !names.isEmpty, !names.contains(judge) else { return }
        let sorted = names.sorted()
        let shown = sorted.prefix(20).map(OneLine.escaped).joined(separator: ", ") + (sorted.count > 20 ? ", …" : "")
        let nearest = NearestName.find(judge, among: sorted).map { "; did you mean \(OneLine.escaped($0))?" } ?? ""
        throw InvalidSetting(
            "--judge-annotator is '\(OneLine.escaped(judge))', but no answer in \(preferences.preferenceAnswers.joined(separator: ", ")) "
                + "is by this annotator; expected \(shown)\(nearest)")
    }
}
