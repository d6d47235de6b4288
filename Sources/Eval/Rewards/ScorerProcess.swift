import Foundation

/// Rewards by a program of the user's own, in any language: it reads one JSON object a line and answers each with one.
///
///     {"id": 0, "query": "…", "response": "…", "reference": "…"}   →   {"id": 0, "score": 0.25}
///
/// It is started once, with the first request. When it ends, answers nonsense or is silent for too long, it is started again and asked
/// anew for what is missing; when that fails, too, the error says what happened. Its standard error stays on the terminal.
///
/// Ids count up over all calls. An answer to what was not asked, or was answered before, is an error at once.
public final class ScorerProcess: RewardFunction {
    private let process: AnsweringProcess<Double>

    /// The shell command.
    public var command: String { process.command }
    /// Seconds without any answer after which it counts as stuck.
    public var patience: Double { process.patience }
    /// How often the command has been started.
    public var starts: Int { process.starts }

    /// A scorer; nothing is started yet.
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
            guard Float(answer.score).isFinite else { throw .wrong("a score that is NaN, infinite or beyond ±3.4e38") }
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
