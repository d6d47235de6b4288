import Data
import Formats
public import Foundation

/// A question for a judge of pairs, as one JSON line: `prompt` is ready for a language model, the other texts are for judges that make
/// their own.
public struct JudgeRequest: Codable, Sendable, Equatable {
    /// The number of the question.
    public var id: Int
    /// See ``JudgePrompt/text(for:)``, unless another was made.
    public var prompt: String
    /// The prompt that both texts answer.
    public var input: String
    /// The text shown first.
    public var first: String
    /// The text shown second.
    public var second: String

    /// The request of a question.
    /// - Parameter prompt: the text for a language model.
    public init(id: Int, _ question: PairwiseQuestion, prompt: String? = nil) {
        self.id = id
        self.prompt = prompt ?? JudgePrompt.text(for: question)
        input = question.input
        first = question.first
        second = question.second
    }
}

/// What a judge says to one request: `preference` (`first`, `second` or `tie`), or `answer`, the text of a language model.
public struct JudgeAnswer: Codable, Sendable, Equatable {
    /// The number of the question.
    public var id: Int
    /// The verdict itself.
    public var preference: Preference?
    /// A text to find the verdict in; see ``JudgePrompt/preference(in:)``.
    public var answer: String?

    /// An answer.
    public init(id: Int, preference: Preference? = nil, answer: String? = nil) {
        self.id = id
        self.preference = preference
        self.answer = answer
    }

    /// An answer of a file or a program.
    /// - Throws: `DecodingError`; `RowProblem` for one that says nothing, or two things.
    public init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: CodingKeys.self)
        id = try row.wholeNumber(forKey: .id)
        preference = try row.decodeIfPresent(Preference.self, forKey: .preference)
        answer = try row.decodeIfPresent(String.self, forKey: .answer)
        guard preference != nil || answer != nil else {
            throw RowProblem.unfit("\"preference\" and \"answer\" are both missing; expected one of them")
        }
        if let preference, let other = answer.flatMap(JudgePrompt.preference(in:)), other != preference {
            throw RowProblem.unfit(
                "\"preference\" says \(preference.rawValue) and \"answer\" says \(other.rawValue); expected one of them, or the same in both"
            )
        }
    }

    /// The verdict; nil where it cannot be made out.
    public var verdict: Preference? { preference ?? answer.flatMap(JudgePrompt.preference(in:)) }

    /// The verdict with the text that it was found in.
    var opinion: JudgeOpinion { JudgeOpinion(verdict, answer: answer) }
}

/// A judge whose answers lie in a file of JSON lines, in any order.
public struct RecordedJudge: PairwiseJudge {
    private let answers: [Int: JudgeAnswer]
    private let path: String

    /// The answers of a file.
    /// - Throws: `FormatError`; ``JudgeError/repeated(id:path:)``.
    public init(_ url: URL) throws {
        path = url.path
        var answers: [Int: JudgeAnswer] = [:]
        try JSONLines<JudgeAnswer>(url).readEach { answer, _ in
            guard answers.updateValue(answer, forKey: answer.id) == nil else {
                throw JudgeError.repeated(id: answer.id, path: url.path)
            }
        }
        self.answers = answers
    }

    public func preferences(for questions: [PairwiseQuestion]) throws -> [Preference?] {
        try opinions(for: questions).map(\.preference)
    }

    public func opinions(for questions: [PairwiseQuestion]) throws -> [JudgeOpinion] {
        try questions.indices.map { id in
            guard let answer = answers[id] else {
                throw JudgeError.missing(id: id, of: questions.count, path: path)
            }
            return answer.opinion
        }
    }
}

/// A judge that is a program of the user's own; see ``ScorerProcess`` for how it is run.
///
///     {"id": 0, "prompt": "…", "input": "…", "first": "…", "second": "…"}   →   {"id": 0, "preference": "first"}
public final class JudgeProcess: PairwiseJudge {
    private let process: AnsweringProcess<JudgeOpinion>
    private let prompt: (PairwiseQuestion) -> String

    /// A judge; nothing is started yet.
    /// - Parameter prompt: makes the text for a language model.
    public init(
        command: String, patience: Double = 600, prompt: @escaping (PairwiseQuestion) -> String = { JudgePrompt.text(for: $0) }
    ) {
        self.prompt = prompt
        process = AnsweringProcess(command: command, patience: patience) {
            JudgeError.process(command: command, problem: $0)
        }
    }

    public func preferences(for questions: [PairwiseQuestion]) throws -> [Preference?] {
        try opinions(for: questions).map(\.preference)
    }

    public func opinions(for questions: [PairwiseQuestion]) throws -> [JudgeOpinion] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let decoder = JSONDecoder()
        return try process.answers(questions.count) { index, id in
            try [UInt8](encoder.encode(JudgeRequest(id: id, questions[index], prompt: prompt(questions[index]))))
        } read: { line throws(AnsweringProcess<JudgeOpinion>.Problem) in
            do {
                let answer = try decoder.decode(JudgeAnswer.self, from: line)
                return (answer.id, answer.opinion)
            } catch let problem as RowProblem {
                throw .wrong(problem.description)
            } catch {
                throw .nonsense
            }
        }
    }
}

/// Why a judge's verdicts cannot be had.
public enum JudgeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file of answers lacks one.
    case missing(id: Int, of: Int, path: String)
    /// A file of answers has two to one question.
    case repeated(id: Int, path: String)
    /// A program that does not run, has ended, or answers with something else.
    case process(command: String, problem: String)

    public var description: String {
        switch self {
        case .missing(let id, let count, let path):
            "\(path) has no answer to question \(id) of \(count); the answers must be those to the requests of the same systems, table and "
                + "seed"
        case .repeated(let id, let path): "\(path) has two answers to question \(id)"
        case .process(let command, let problem):
            "the judge '\(command)' \(problem); it must answer every line {\"id\": n, \"prompt\": …, \"first\": …, \"second\": …} with one "
                + "line {\"id\": n, \"preference\": \"first\", \"second\" or \"tie\"} or {\"id\": n, \"answer\": text}, in any order, and flush "
                + "it"
        }
    }
}
