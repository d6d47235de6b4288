import Foundation

/// Rewards from an external program in any language. It reads one JSON object per line and answers each with one line:
///
///     {"id": 0, "query": "…", "response": "…", "reference": "…"}   →   {"id": 0, "score": 0.25}
///
/// The program is started once, with the first request. If it exits, gives an invalid answer or is silent for too long, it is
/// restarted once and asked again for the missing scores; if that also fails, the error says what happened. Its standard error
/// goes to the terminal.
///
/// IDs count up over all calls. An answer with an ID that was not asked, or was already answered, is an error at once. An error
/// is a ``RewardError/scorer(command:problem:)``.
public final class ScorerProcess: RewardFunction {
    private let process: AnsweringProcess<Double>

    /// The shell command.
    public var command: String { process.command }
    /// The time in seconds without any answer after which the program is considered stuck.
    public var patience: Double { process.patience }
    /// The number of times the command was started.
    public var starts: Int { process.starts }

    /// A scorer that runs `command`; the program starts with the first request.
    public init(command: String, patience: Double = 600) {
        process = AnsweringProcess(command: command, patience: patience) {
            RewardError.scorer(command: command, problem: $0)
        }
    }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let decoder = JSONDecoder()
        return try process.answers(requests.count) { index, id in
            let request = requests[index]
            return try [UInt8](
                encoder.encode(
                    Question(
                        id: id, query: request.query, response: request.response, reference: request.reference)))
        } read: { line throws(AnsweringProcess<Double>.Problem) in
            guard let answer = try? decoder.decode(Answer.self, from: line) else { throw .nonsense }
            guard Float(answer.score).isFinite else { throw .wrong("a score that is NaN, Inf or beyond ±3.4e38") }
            return (answer.id, answer.score)
        }
    }

    private struct Question: Encodable {
        var id: Int
        var query: String
        var response: String
        var reference: String?
    }
    private struct Answer: Decodable {
        var id: Int
        var score: Double
    }
}
