import Foundation

/// A child process with pipes to both ends.
final class ChildProcess {
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

    /// Whether something can be read, or the child has closed its output.
    var hasOutput: Bool {
        var end = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        return poll(&end, 1, 0) > 0
    }

    func stop() {
        try? input.fileHandleForWriting.close()
        try? output.fileHandleForReading.close()
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }

    /// Writes what the child takes and returns the whole lines that it has written: neither side waits for the other with full pipes.
    func exchange(
        _ text: [UInt8], _ sent: inout Int, patience: Double, failure: (String) -> any Error
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
