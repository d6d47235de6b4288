internal import Foundation
internal import Synchronization

/// A shell command with pipes to its standard input and output. It shares this process's standard error.
///
/// The child cannot block this process: every read and write has a deadline, the length of a line is limited, and ending the
/// child also ends all processes that it started (``ProcessGroup``). swift-subprocess is not used because callers are synchronous
/// and need deadlines from `poll` and limited lines; `Foundation.Process` is not used because it traps when file descriptors run
/// out and does not support process groups.
package final class ChildProcess {
    /// The reason why communication with the child has stopped.
    package enum Stop: Error, Equatable, CustomStringConvertible {
        /// The child has ended or closed its pipes. The text says how.
        case ended(String)
        /// The operating system reports an error on read or write.
        case unreachable(SystemError)
        /// The child has written a line longer than ``longestLine``.
        case longLine

        /// The reason, to be appended to the name of the child in a message.
        package var description: String {
            switch self {
            case .ended(let how): "has ended (\(how))"
            case .unreachable(let reason): "cannot be reached (\(reason))"
            case .longLine: "has written a line of more than \(ChildProcess.longestLine >> 20) MiB"
            }
        }
    }

    /// The maximum length of a line in bytes.
    package static var longestLine: Int { 1 << 20 }

    private let group: ProcessGroup
    private var writer: Int32
    private var reader: Int32
    /// Whether the child accepts no more input.
    private var isDeaf = false
    /// The start of a line that is not complete yet.
    private var line: [UInt8] = []
    private var chunk = [UInt8](repeating: 0, count: 1 << 16)

    /// Starts a command with `/bin/sh`.
    package init(shell command: String) throws(SystemError) {
        // a write to a child that has ended must fail with EPIPE, not kill this process
        _ = signal(SIGPIPE, SIG_IGN)
        let start = Self.starting.withLock { _ in Result { () throws(SystemError) in try Self.start(command) } }
        (group, writer, reader) = try start.get()
        for number in [writer, reader] { _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) }
    }

    /// Held while file descriptors are open that a child started at the same time could inherit.
    private static let starting = Mutex(())

    private static func start(_ command: String) throws(SystemError) -> (ProcessGroup, writer: Int32, reader: Int32) {
        let input = try PipeEnds()
        do throws(SystemError) {
            let output = try PipeEnds()
            do throws(SystemError) {
                let group = try ProcessGroup(shell: command, input: input.reading, output: output.writing)
                close(input.reading)
                close(output.writing)
                return (group, input.writing, output.reading)
            } catch {
                output.close()
                throw error
            }
        } catch {
            input.close()
            throw error
        }
    }

    deinit { end() }

    /// Closes the pipes and ends the child with all processes that it started, within about a second. A child that does not end
    /// by itself is sent SIGTERM and then SIGKILL.
    package func end() {
        guard writer >= 0 else { return }
        close(writer)
        close(reader)
        (writer, reader) = (-1, -1)
        // a filter ends by itself when its input is closed
        group.wait(seconds: 0.2)
        group.end()
    }

    /// Whether there is output to read, or the child has closed its output.
    package var hasOutput: Bool {
        var end = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        return poll(&end, 1, 0) > 0
    }

    /// The number of written bytes that the child has not read yet; 0 if the operating system does not report it.
    package var unread: Int {
        var count: Int32 = 0
        return ioctl(writer, UInt(FIONREAD), &count) == 0 ? Int(max(0, count)) : 0
    }

    /// Checks whether any process can still read from the pipe. If not, the child counts as ended once all of its output has been
    /// read.
    package func checkReader() {
        var end = pollfd(fd: writer, events: 0, revents: 0)
        if poll(&end, 1, 0) > 0, end.revents & Int16(POLLERR) != 0 { isDeaf = true }
    }

    /// Writes as much of the input as the child accepts, and returns the complete non-empty lines that the child has written, if
    /// any. It never deadlocks on full pipes.
    /// - Parameters:
    ///   - text: The input.
    ///   - sent: The number of bytes of `text` that have been written so far.
    ///   - seconds: The maximum time to wait. One call waits at most 0.1 seconds.
    /// - Returns: The lines, without their line ends.
    /// - Throws: `Stop`.
    package func exchange(_ text: [UInt8], sent: inout Int, seconds: Double) throws(Stop) -> [ArraySlice<UInt8>] {
        // check this before reading the pipe: if the child has ended, all of its output is already there
        let hasEnded = isDeaf || group.hasEnded
        var ends = [pollfd(fd: reader, events: Int16(POLLIN), revents: 0)]
        if sent < text.count, !isDeaf { ends.append(pollfd(fd: writer, events: Int16(POLLOUT), revents: 0)) }
        let ready = poll(&ends, nfds_t(ends.count), Int32(max(0, min(seconds, 0.1)) * 1000))
        if ready < 0 {
            guard errno == EINTR else { throw .unreachable(.last) }
            return []
        }
        if ends.count > 1, ends[1].revents != 0 {
            let count = text[sent...].withUnsafeBytes { write(writer, $0.baseAddress, $0.count) }
            if count > 0 { sent += count }
            // output that the child wrote earlier is still read
            if count < 0, errno != EAGAIN, errno != EINTR { isDeaf = true }
        }
        guard ends[0].revents != 0 else {
            if hasEnded { throw stopped() }
            return []
        }
        let count = chunk.withUnsafeMutableBytes { read(reader, $0.baseAddress, $0.count) }
        if count < 0 {
            guard errno == EAGAIN || errno == EINTR else { throw .unreachable(.last) }
            return []
        }
        guard count > 0 else { throw stopped() }
        return try lines(in: chunk[..<count])
    }

    /// Appends bytes to the current line and returns the lines that they complete.
    private func lines(in bytes: ArraySlice<UInt8>) throws(Stop) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = bytes
        while let end = rest.firstIndex(of: 0x0a) {
            line += rest[..<end]
            guard line.count <= Self.longestLine else { throw .longLine }
            if !line.isEmpty { lines.append(line[...]) }
            line = []
            rest = rest[(end + 1)...]
        }
        line += rest
        guard line.count <= Self.longestLine else { throw .longLine }
        return lines
    }

    private func stopped() -> Stop {
        // a child that has closed its pipes usually ends soon
        group.wait(seconds: 0.5)
        guard group.hasEnded else { return .ended("it closed its input or output, but is still running") }
        group.end()
        return .ended(group.status ?? "unknown exit status")
    }
}

/// The two ends of a pipe, which other children do not inherit.
private struct PipeEnds {
    var reading: Int32
    var writing: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .last }
        // the child replaces descriptors 0 to 2, which may be unused in this process: move the pipe to higher numbers
        for index in ends.indices {
            let isLow = ends[index] <= STDERR_FILENO
            let kept = isLow ? fcntl(ends[index], F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : ends[index]
            let reason = SystemError.last
            if isLow { Foundation.close(ends[index]) }
            ends[index] = kept
            guard kept >= 0 else {
                Foundation.close(ends[1 - index])
                throw reason
            }
            _ = fcntl(kept, F_SETFD, FD_CLOEXEC)
        }
        (reading, writing) = (ends[0], ends[1])
    }

    func close() {
        Foundation.close(reading)
        Foundation.close(writing)
    }
}
