import Foundation
import Synchronization

/// A browser process that is spoken to by the DevTools protocol: messages of JSON on its file descriptors 3 and 4, each ended by a byte 0.
///
/// `Foundation.Process` cannot pass these descriptors, and ``ChildProcess`` speaks by standard input and output, so it is started by hand.
final class DevToolsPipe {
    /// Why the browser could not be reached.
    enum Failure: Error, CustomStringConvertible {
        case system(String, Int32)
        case ended
        case late(String)
        case badMessage(String)

        var description: String {
            switch self {
            case .system(let call, let code): "\(call) failed: \(String(cString: strerror(code)))"
            case .ended: "the browser has ended"
            case .late(let what): "the browser did not answer in time: \(what)"
            case .badMessage(let text): "the browser sent what is not JSON: \(text.prefix(200))"
            }
        }
    }

    private let process: pid_t
    private var writer: Int32
    private var reader: Int32
    private var unread: [UInt8] = []
    private var chunk = [UInt8](repeating: 0, count: 1 << 18)

    /// Starts a program in a process group of its own. What it prints goes into a file.
    init(program: String, arguments: [String], log: URL) throws {
        _ = signal(SIGPIPE, SIG_IGN)
        (process, writer, reader) = try Self.starting.withLock { _ in
            try Self.start([program] + arguments, log: log.path)
        }
    }

    deinit { end() }

    /// Held while descriptors are open that another child, started at the same time, could inherit.
    private static let starting = Mutex(())

    private static func start(_ words: [String], log: String) throws -> (pid_t, writer: Int32, reader: Int32) {
        var toBrowser: [Int32] = [-1, -1]
        var fromBrowser: [Int32] = [-1, -1]
        guard pipe(&toBrowser) == 0, pipe(&fromBrowser) == 0 else { throw Failure.system("pipe", errno) }
        // descriptors below 10 could be those that the browser is to have
        func moved(_ number: Int32) throws -> Int32 {
            let new = fcntl(number, F_DUPFD_CLOEXEC, 10)
            guard new >= 0 else { throw Failure.system("fcntl", errno) }
            close(number)
            return new
        }
        toBrowser = try toBrowser.map(moved)
        fromBrowser = try fromBrowser.map(moved)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_adddup2(&actions, toBrowser[0], 3)
        posix_spawn_file_actions_adddup2(&actions, fromBrowser[1], 4)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let arguments = words.map { strdup($0) } + [nil]
        let variables = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var process: pid_t = 0
        let code = posix_spawnp(&process, words[0], &actions, &attributes, arguments, variables)
        close(toBrowser[0])
        close(fromBrowser[1])
        guard code == 0 else {
            close(toBrowser[1])
            close(fromBrowser[0])
            throw Failure.system("starting \(words[0])", code)
        }
        _ = fcntl(toBrowser[1], F_SETFL, O_NONBLOCK)
        _ = fcntl(fromBrowser[0], F_SETFL, O_NONBLOCK)
        return (process, toBrowser[1], fromBrowser[0])
    }

    /// Sends a message, waiting at most until the deadline.
    func send(_ message: [String: Any], before deadline: Date) throws {
        var bytes = Array(try JSONSerialization.data(withJSONObject: message))[...]
        bytes.append(0)
        while !bytes.isEmpty {
            try wait(for: POLLOUT, of: writer, before: deadline)
            let count = bytes.withUnsafeBytes { write(writer, $0.baseAddress, $0.count) }
            if count > 0 { bytes = bytes.dropFirst(count) }
            if count < 0, errno != EAGAIN, errno != EINTR { throw Failure.ended }
        }
    }

    /// The next message; it waits for it until the deadline.
    func receive(before deadline: Date) throws -> [String: Any] {
        var searched = 0
        while true {
            if let end = unread[searched...].firstIndex(of: 0) {
                let bytes = Data(unread[..<end])
                unread.removeSubrange(...end)
                guard let message = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any] else {
                    throw Failure.badMessage(String(decoding: bytes, as: UTF8.self))
                }
                return message
            }
            searched = unread.count
            try wait(for: POLLIN, of: reader, before: deadline)
            let count = chunk.withUnsafeMutableBytes { read(reader, $0.baseAddress, $0.count) }
            if count > 0 { unread += chunk[..<count] }
            if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { throw Failure.ended }
        }
    }

    private func wait(for event: Int32, of descriptor: Int32, before deadline: Date) throws {
        while true {
            let left = deadline.timeIntervalSinceNow
            guard left > 0 else { throw Failure.late("no message") }
            var end = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            if poll(&end, 1, Int32(min(left, 1) * 1000) + 1) > 0 { return }
        }
    }

    /// Ends the browser and all that it has started. It is safe to be called again.
    func end() {
        guard writer >= 0 else { return }
        // a browser without its pipe ends by itself
        close(writer)
        close(reader)
        (writer, reader) = (-1, -1)
        var code: Int32 = 0
        for _ in 0..<100 where waitpid(process, &code, WNOHANG) == 0 { usleep(20_000) }
        kill(-process, SIGKILL)
        while waitpid(process, &code, 0) < 0, errno == EINTR {}
    }
}
