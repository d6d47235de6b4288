import Formats
import Foundation

/// A program of the user's own that answers lines with lines: each question is a JSON object with an `id`, and so is its answer.
///
/// It is started once, with the first question. When it ends, answers nonsense or is silent for too long, it is started again and asked
/// anew for what is missing; when that fails, too, the error says what happened. Its standard error stays on the terminal.
///
/// Ids count up from 0 and are never used again, so no answer that is late or repeated can be taken for that to another question. One
/// that was not asked for is an error at once: what else such a program has answered cannot be trusted. So is an answer to a question
/// that the program has not read: a new process gets its first question without the end, and the rest once it reads.
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
    /// Seconds without an answer after which it counts as stuck, whatever else it writes.
    let patience: Double
    /// Makes the error that says what the command has done.
    private let failure: (String) -> any Error
    private var running: ChildProcess?
    /// How often the command has been started.
    private(set) var starts = 0
    /// How many ids have been given to questions.
    private var asked = 0

    /// A process; nothing is started yet.
    init(command: String, patience: Double, failure: @escaping (String) -> any Error) {
        self.command = command
        self.patience = patience
        self.failure = failure
    }

    /// The answers to some questions, in order.
    /// - Parameters:
    ///   - question: the line of a question by its index, with the id that it must have, without a newline.
    ///   - read: what a line says: the id of a question, and its answer. It throws a ``Problem`` for a line that is no answer.
    func answers(
        _ count: Int, question: (_ index: Int, _ id: Int) throws -> [UInt8],
        read: (Foundation.Data) throws(Problem) -> (id: Int, answer: Answer)
    ) throws -> [Answer] {
        var call = Call(first: asked, count: count)
        asked += count
        do {
            do {
                try ask(&call, question, read)
            } catch let error as Failed where error.mayTryAgain {
                stop()
                try ask(&call, question, read)
            }
        } catch let error as Failed {
            stop()
            throw failure(error.problem)
        }
        return call.answers.compactMap { $0 }
    }

    private struct Failed: Error {
        var problem: String
        var mayTryAgain = true
    }

    /// Questions that are asked together.
    private struct Call {
        /// The id of the first one.
        let first: Int
        var answers: [Answer?]
        /// Whether the process reads them, so that answers can be right.
        var isAsked = false
        /// Where each of them ends in the text that is sent, without its newline.
        var ends: [Int]
        /// How much of the text the process has read.
        var heard = 0

        init(first: Int, count: Int) {
            self.first = first
            answers = [Answer?](repeating: nil, count: count)
            ends = [Int](repeating: .max, count: count)
        }

        var missing: Int { answers.count { $0 == nil } }
    }

    private func stop() {
        running?.end()
        running = nil
    }

    /// Asks for every answer that is missing.
    private func ask(
        _ call: inout Call, _ question: (_ index: Int, _ id: Int) throws -> [UInt8],
        _ read: (Foundation.Data) throws(Problem) -> (id: Int, answer: Answer)
    ) throws {
        var text: [UInt8] = []
        // what no process can answer: the first question without the brace at its end
        var opening = 0
        for index in call.answers.indices where call.answers[index] == nil {
            text += try question(index, call.first + index)
            call.ends[index] = text.count
            if opening == 0 { opening = text.count - 1 }
            text.append(0x0a)
        }
        guard !text.isEmpty else { return }
        var sent = 0
        call.isAsked = false
        let isNew = running == nil
        if let running {
            // what lies there already answers an earlier call; a child that never stops writing is met below
            for _ in 0..<Self.looks where running.hasOutput {
                var nothing = 0
                _ = try take(exchange(with: running, [], &nothing, seconds: 0), for: &call, read)
            }
        }
        let process = try running ?? start()
        running = process
        call.isAsked = !isNew
        call.heard = 0
        var missing = call.missing
        var wait = Duration.seconds(min(patience, 1e9))
        var hurries = false
        // of the clock that stands still while the machine sleeps
        var deadline = SuspendingClock.now + wait
        while missing > 0 || sent < text.count {
            if !hurries, ProcessGroup.shouldHurry {
                hurries = true
                wait = min(wait, .seconds(StoppedWaiting.seconds))
                deadline = min(deadline, SuspendingClock.now + wait)
            }
            // one more look behind the deadline: this process may have been stopped while the answers came
            let left = (deadline - SuspendingClock.now) / .seconds(1)
            let lines: [ArraySlice<UInt8>]
            if call.isAsked {
                lines = try exchange(with: process, text, &sent, seconds: left)
            } else {
                process.checkReader()
                lines = try exchange(with: process, Array(text[..<opening]), &sent, seconds: min(left, 0.002))
            }
            call.heard = sent - min(process.unread, sent)
            let count = try take(lines, for: &call, read)
            missing -= count
            // what it has written before it read lies there by now
            if !call.isAsked, call.heard == opening, !process.hasOutput { call.isAsked = true }
            if count > 0 {
                deadline = SuspendingClock.now + wait
            } else if left <= 0 {
                if hurries {
                    stop()
                    throw StoppedWaiting(command: command)
                }
                throw Failed(problem: String(format: "has been silent for %g seconds", patience))
            }
        }
    }

    private func exchange(
        with process: ChildProcess, _ text: [UInt8], _ sent: inout Int, seconds: Double
    ) throws -> [ArraySlice<UInt8>] {
        do {
            return try process.exchange(text, sent: &sent, seconds: seconds)
        } catch {
            throw Failed(problem: "\(error)")
        }
    }

    /// How many full pipes are read at most before a call.
    private static var looks: Int { 16 }

    /// Takes the answers that some lines hold.
    /// - Returns: How many there are.
    private func take(
        _ lines: [ArraySlice<UInt8>], for call: inout Call, _ read: (Foundation.Data) throws(Problem) -> (id: Int, answer: Answer)
    ) throws -> Int {
        var count = 0
        for line in lines where !line.allSatisfy({ [0x20, 0x09, 0x0d].contains($0) }) {
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
            // an id may be any number, so nothing is subtracted from it before it is known to be one of the call
            guard call.isAsked, found.id >= call.first, found.id - call.first < call.answers.count,
                call.answers[found.id - call.first] == nil, call.ends[found.id - call.first] <= call.heard
            else {
                throw Failed(problem: "\(shown), an id that was not asked yet or had been answered before", mayTryAgain: false)
            }
            call.answers[found.id - call.first] = found.answer
            count += 1
        }
        return count
    }

    private func start() throws -> ChildProcess {
        starts += 1
        do {
            return try ChildProcess(shell: command)
        } catch {
            throw Failed(problem: "cannot be started (\(error)\(error.advice))")
        }
    }
}
