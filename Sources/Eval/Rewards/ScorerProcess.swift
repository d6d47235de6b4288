import Foundation

/// Rewards by a program of the user's own, in any language: it reads one JSON object a line and answers each with one.
///
///     {"id": 0, "query": "…", "response": "…", "reference": "…"}   →   {"id": 0, "score": 0.25}
///
/// It is started once, with the first request. When it ends, answers nonsense or is silent for too long, it is started again and asked
/// anew for what is missing; when that fails, too, the error says what happened. Its standard error stays on the terminal.
public final class ScorerProcess: RewardFunction {
    /// The shell command.
    public let command: String
    /// Seconds without any answer after which it counts as stuck.
    public let patience: Double
    private var running: Running?
    /// How often the command has been started.
    public private(set) var starts = 0

    /// A scorer; nothing is started yet.
    public init(command: String, patience: Double = 600) {
        self.command = command
        self.patience = patience
    }

    deinit { running?.stop() }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        var scores = [Double?](repeating: nil, count: requests.count)
        do {
            try ask(requests, &scores)
        } catch is RewardError {
            stop()
            try ask(requests, &scores)
        }
        return scores.compactMap { $0 }
    }

    private func stop() {
        running?.stop()
        running = nil
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

    /// Asks for every score that is missing.
    private func ask(_ requests: [RewardRequest], _ scores: inout [Double?]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text: [UInt8] = []
        for (id, request) in requests.enumerated() where scores[id] == nil {
            let question = Question(
                id: id, query: request.query, response: request.response, reference: request.reference)
            text += try encoder.encode(question) + [0x0a]
        }
        guard !text.isEmpty else { return }
        let process = try running ?? start()
        running = process
        var missing = scores.count { $0 == nil }
        let decoder = JSONDecoder()
        var sent = 0
        while missing > 0 {
            let lines = try process.exchange(text, &sent, patience: patience) { self.failure($0) }
            for line in lines where !line.isEmpty {
                let shown = String(decoding: line.prefix(80), as: UTF8.self)
                guard let answer = try? decoder.decode(Answer.self, from: Foundation.Data(line)) else {
                    throw failed("answered '\(shown)'")
                }
                guard scores.indices.contains(answer.id), scores[answer.id] == nil else {
                    throw failed("answered '\(shown)', an id that was not asked")
                }
                guard answer.score.isFinite else { throw failed("answered '\(shown)', a score that is not finite") }
                scores[answer.id] = answer.score
                missing -= 1
            }
        }
    }

    private func start() throws -> Running {
        starts += 1
        do {
            return try Running(command)
        } catch {
            throw failure("cannot be started (\(error))")
        }
    }

    private func failed(_ problem: String) -> RewardError {
        stop()
        return failure(problem)
    }

    private func failure(_ problem: String) -> RewardError { .scorer(command: command, problem: problem) }
}

/// A child process with pipes to both ends.
private final class Running {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffer: [UInt8] = []

    init(_ command: String) throws {
        // a child that has ended must be an error of the write, not the end of this process
        _ = signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        for descriptor in [writer, reader] { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
    }

    private var writer: Int32 { input.fileHandleForWriting.fileDescriptor }
    private var reader: Int32 { output.fileHandleForReading.fileDescriptor }

    func stop() {
        try? input.fileHandleForWriting.close()
        try? output.fileHandleForReading.close()
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }

    /// Writes what the child takes and returns the whole lines that it has written: neither side waits for the other with full pipes.
    func exchange(
        _ text: [UInt8], _ sent: inout Int, patience: Double, failure: (String) -> RewardError
    ) throws -> [ArraySlice<UInt8>] {
        var ends = [pollfd(fd: reader, events: Int16(POLLIN), revents: 0)]
        if sent < text.count { ends.append(pollfd(fd: writer, events: Int16(POLLOUT), revents: 0)) }
        let ready = poll(&ends, nfds_t(ends.count), Int32(min(patience * 1000, 2e9)))
        if ready < 0 {
            guard errno == EINTR else { throw failure("cannot be reached (error \(errno))") }
            return []
        }
        guard ready > 0 else { throw failure("has been silent for \(Int(patience)) seconds") }
        if ends.count > 1, ends[1].revents != 0 {
            let count = text[sent...].withUnsafeBytes { write(writer, $0.baseAddress, $0.count) }
            if count > 0 { sent += count }
            if count < 0, errno != EAGAIN, errno != EINTR { throw failure("has ended (exit \(status))") }
        }
        guard ends[0].revents != 0 else { return [] }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = chunk.withUnsafeMutableBytes { read(reader, $0.baseAddress, $0.count) }
        if count < 0, errno == EAGAIN || errno == EINTR { return [] }
        guard count > 0 else { throw failure("has ended (exit \(status))") }
        buffer += chunk[..<count]
        guard let end = buffer.lastIndex(of: 0x0a) else { return [] }
        let whole = buffer[..<end].split(separator: 0x0a)
        buffer.removeSubrange(...end)
        return whole
    }

    private var status: Int32 {
        // one that has closed its output is about to end, or is made to
        for _ in 0..<50 where process.isRunning { usleep(10_000) }
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
