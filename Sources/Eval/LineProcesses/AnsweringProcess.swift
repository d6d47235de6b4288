import Formats
import Foundation

/// An external program that answers lines with lines: each question is a JSON object with an `id`, and so is its answer.
///
/// The program is started once, with the first question. If it exits, gives an invalid answer or is silent for too long, it is
/// restarted once and asked again for the missing answers; if that also fails, the error says what happened. Its standard error
/// goes to the terminal.
///
/// IDs count up from 0 and are never reused, so a late or repeated answer cannot be taken for the answer to another question.
/// An answer with an ID that was not asked is an error at once, without a restart, since the program's other answers cannot be
/// trusted either. So is an answer to a question that the program has not read yet: a new process first gets the first question
/// without its last character, and the rest once it reads.
final class AnsweringProcess<Answer> {
    /// Why a line is not a valid answer.
    enum Problem: Error {
        /// The line cannot be parsed.
        case nonsense
        /// The line can be parsed but is wrong; the value completes the message "answered '…', ".
        case wrong(String)
    }

    /// The shell command.
    let command: String
    /// The time in seconds without an answer after which the program is considered stuck, whatever else it writes.
    let patience: Double
    /// Creates the error that describes what the command did.
    private let failure: (String) -> any Error
    private var running: ChildProcess?
    /// The number of times the command was started.
    private(set) var starts = 0
    /// The number of IDs assigned so far.
    private var asked = 0

    /// A process for a command, which is not started yet.
    init(command: String, patience: Double, failure: @escaping (String) -> any Error) {
        self.command = command
        self.patience = patience
        self.failure = failure
    }

    /// The answers to `count` questions, in order.
    /// - Parameters:
    ///   - count: the number of questions.
    ///   - question: the line of a question, given its index and the ID that it must contain, without a newline.
    ///   - read: parses a line into the ID of a question and its answer; throws a ``Problem`` for an invalid answer.
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
        /// The ID of the first question.
        let first: Int
        var answers: [Answer?]
        /// Whether the process is reading the questions, so that answers can be valid.
        var isAsked = false
        /// For each question, its end in the sent text, excluding the newline.
        var ends: [Int]
        /// The number of bytes of the text that the process has read.
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

    /// Asks all questions that have no answer yet.
    private func ask(
        _ call: inout Call, _ question: (_ index: Int, _ id: Int) throws -> [UInt8],
        _ read: (Foundation.Data) throws(Problem) -> (id: Int, answer: Answer)
    ) throws {
        var text: [UInt8] = []
        // bytes that no process can answer: the first question without its closing brace
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
            // output that is already present answers an earlier call; a child that never stops writing is handled below
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
        // a clock that stops while the machine sleeps
        var deadline = SuspendingClock.now + wait
        while missing > 0 || sent < text.count {
            if !hurries, ProcessGroup.shouldHurry {
                hurries = true
                wait = min(wait, .seconds(StoppedWaiting.seconds))
                deadline = min(deadline, SuspendingClock.now + wait)
            }
            // one more check after the deadline, since this process may have been suspended while the answers arrived
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
            // everything that it wrote before it began to read has arrived by now
            if !call.isAsked, call.heard == opening, !process.hasOutput { call.isAsked = true }
            if count > 0 {
                deadline = SuspendingClock.now + wait
            } else if left <= 0 {
                if hurries {
                    stop()
                    throw StoppedWaiting(command: command)
                }
                throw Failed(problem: String(format: "has not answered for %g seconds", patience))
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

    /// The maximum number of full pipe buffers that are read before a call.
    private static var looks: Int { 16 }

    /// Stores the answers in some lines.
    /// - Returns: The number of answers.
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
            // an ID may be any integer, so it is compared before anything is subtracted from it
            guard call.isAsked, found.id >= call.first, found.id - call.first < call.answers.count,
                call.answers[found.id - call.first] == nil, call.ends[found.id - call.first] <= call.heard
            else {
                throw Failed(problem: "\(shown), an id that was not requested yet or was already answered", mayTryAgain: false)
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
            throw Failed(problem: "could not be started (\(error)\(error.advice))")
        }
    }
}
