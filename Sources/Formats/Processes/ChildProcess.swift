internal import Foundation
internal import Synchronization

/// A shell command with pipes to its standard input and output; its standard error is that of this process.
///
/// Nothing that it does keeps this process waiting: every read and write has a deadline, a line has a bound, and it ends with all that it has
/// started (``ProcessGroup``). This is not swift-subprocess, because callers are synchronous and need deadlines of `poll` and a bounded
/// line, nor `Foundation.Process`, which traps where descriptors run out and has no groups.
package final class ChildProcess {
    /// Why nothing more can be had from the child.
    package enum Stop: Error, Equatable, CustomStringConvertible {
        /// It has ended, or reads and writes no longer.
        case ended(String)
        /// The system refuses to read or write.
        case unreachable(SystemError)
        /// A line without an end in sight.
        case longLine

        package var description: String {
            switch self {
            case .ended(let how): "has ended (\(how))"
            case .unreachable(let reason): "cannot be reached (\(reason))"
            case .longLine: "has written a line of more than \(ChildProcess.longestLine >> 20) MiB"
            }
        }
    }

    /// The most bytes of a line.
    package static var longestLine: Int { 1 << 20 }

    private let group: ProcessGroup
    private var writer: Int32
    private var reader: Int32
    /// Whether it takes no more input.
    private var isDeaf = false
    /// What there is of a line that has not ended.
    private var line: [UInt8] = []
    private var chunk = [UInt8](repeating: 0, count: 1 << 16)

    /// Starts a command by `/bin/sh`.
    package init(shell command: String) throws(SystemError) {
        // a child that has ended must be an error of the write, not the end of this process
        _ = signal(SIGPIPE, SIG_IGN)
        let start = Self.starting.withLock { _ in Result { () throws(SystemError) in try Self.start(command) } }
        (group, writer, reader) = try start.get()
        for number in [writer, reader] { _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) }
    }

    /// Held while descriptors are open that another child, started at the same time, could inherit.
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

    /// Closes the pipes and ends the child and all that it has started: by itself, when asked, or by force, within about a second.
    package func end() {
        guard writer >= 0 else { return }
        close(writer)
        close(reader)
        (writer, reader) = (-1, -1)
        // at the end of its input a filter ends by itself
        group.wait(seconds: 0.2)
        group.end()
    }

    /// Whether something can be read, or the child has closed its output.
    package var hasOutput: Bool {
        var end = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        return poll(&end, 1, 0) > 0
    }

    /// Bytes that have been written and that nobody has read yet; 0 where the system does not say.
    package var unread: Int {
        var count: Int32 = 0
        return ioctl(writer, UInt(FIONREAD), &count) == 0 ? Int(max(0, count)) : 0
    }

    /// Looks whether anybody is left who could read; if not, the child counts as ended once it has written all.
    package func checkReader() {
        var end = pollfd(fd: writer, events: 0, revents: 0)
        if poll(&end, 1, 0) > 0, end.revents & Int16(POLLERR) != 0 { isDeaf = true }
    }

    /// Writes what the child takes and returns the whole lines that it has written, without those of no length; it may be none. Neither
    /// side waits for the other with full pipes.
    /// - Parameters:
    ///   - sent: how many bytes of the text have been written.
    ///   - seconds: how long it may wait at most. It returns earlier, too.
    package func exchange(_ text: [UInt8], sent: inout Int, seconds: Double) throws(Stop) -> [ArraySlice<UInt8>] {
        // asked before looking at the pipe: all that it has written is there then, whoever else holds the other end
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
            // what it has answered before is still read
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

    /// The lines that end in some new bytes.
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
        // one that has closed its ends is about to end
        group.wait(seconds: 0.5)
        guard group.hasEnded else { return .ended("it has closed its input or output, and runs on") }
        group.end()
        return .ended(group.status ?? "it is not known how")
    }
}

/// The two ends of a pipe, which no other child inherits.
private struct PipeEnds {
    var reading: Int32
    var writing: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .last }
        // the numbers of standard input and output are to be replaced in the child, and may be free in this process
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
