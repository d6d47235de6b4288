import Foundation

/// A program of the user's own that answers lines with lines: each question is a JSON object with an `id`, and so is its answer.
///
/// It is started once, with the first question. When it ends, answers nonsense or is silent for too long, it is started again and asked
/// anew for what is missing; when that fails, too, the error says what happened. Its standard error stays on the terminal.
final class AnsweringProcess<Answer> {
    /// Why one line is no answer.
    enum Problem: Error {
        /// The line says nothing that can be understood.
        case nonsense
        /// It can be understood, and is wrong: the end of "answered '…', ".
        case wrong(String)
    }

    /// The shell command.
    let command: String
    /// Seconds without any answer after which it counts as stuck.
    let patience: Double
    /// Makes the error that says what the command has done.
    private let failure: (String) -> any Error
    private var running: ChildProcess?
    /// How often the command has been started.
    private(set) var starts = 0

    /// A process; nothing is started yet.
    init(command: String, patience: Double, failure: @escaping (String) -> any Error) {
        self.command = command
        self.patience = patience
        self.failure = failure
    }

    deinit { running?.stop() }

    /// The answers to some questions, in order.
    /// - Parameters:
    ///   - question: the line of a question, whose id is its number, without a newline.
    ///   - read: what a line says: the id of a question, and its answer. It throws a ``Problem`` for a line that is no answer.
    func answers(
        _ count: Int, question: (Int) throws -> [UInt8], read: (Foundation.Data) throws(Problem) -> (id: Int, answer: Answer)
    ) throws -> [Answer] {
        var answers = [Answer?](repeating: nil, count: count)
        do {
            try ask(&answers, question, read)
        } catch is Failed {
            stop()
            do {
                try ask(&answers, question, read)
            } catch let error as Failed {
                stop()
                throw failure(error.problem)
            }
        }
        return answers.compactMap { $0 }
    }

    private struct Failed: Error { var problem: String }

    private func stop() {
        running?.stop()
        running = nil
    }

    /// Asks for every answer that is missing.
    private func ask(
        _ answers: inout [Answer?], _ question: (Int) throws -> [UInt8],
        _ read: (Foundation.Data) throws(Problem) -> (id: Int, answer: Answer)
    ) throws {
        var text: [UInt8] = []
        for id in answers.indices where answers[id] == nil { text += try question(id) + [0x0a] }
        guard !text.isEmpty else { return }
        let process = try running ?? start()
        running = process
        var missing = answers.count { $0 == nil }
        var sent = 0
        while missing > 0 {
            let lines = try process.exchange(text, &sent, patience: patience) { Failed(problem: $0) }
            for line in lines where !line.isEmpty {
                let shown = "answered '\(String(decoding: line.prefix(80), as: UTF8.self))'"
                let found: (id: Int, answer: Answer)
                do throws(Problem) {
                    found = try read(Foundation.Data(line))
                } catch {
                    switch error {
                    case .nonsense: throw Failed(problem: shown)
                    case .wrong(let reason): throw Failed(problem: "\(shown), \(reason)")
                    }
                }
                guard answers.indices.contains(found.id), answers[found.id] == nil else {
                    throw Failed(problem: "\(shown), an id that was not asked")
                }
                answers[found.id] = found.answer
                missing -= 1
            }
        }
    }

    private func start() throws -> ChildProcess {
        starts += 1
        do {
            return try ChildProcess(command)
        } catch {
            throw Failed(problem: "cannot be started (\(error))")
        }
    }
}
