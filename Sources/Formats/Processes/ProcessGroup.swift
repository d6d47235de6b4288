internal import Foundation
internal import Synchronization

/// A shell command in a process group of its own, with all that it starts, so that all of it can be ended.
///
/// The group is no part of the terminal's: Ctrl-C reaches this process alone, which then ends the group.
package final class ProcessGroup {
    /// The shell, whose number is that of the group.
    private let leader: pid_t
    private let place: Place?
    /// How the leader ended; nil until ``end()``.
    private(set) var status: String?
    private var isOver = false

    /// Starts a command by `/bin/sh`, with the signals as they are in a new process.
    init(shell command: String, input: Int32, output: Int32) throws(SystemError) {
        guard !Self.isClosed.load(ordering: .sequentiallyConsistent) else { throw SystemError(code: ECANCELED) }
        leader = try Self.spawn(command, input, output)
        let leader = self.leader
        place = Self.places.first {
            $0.leader.compareExchange(expected: 0, desired: leader, ordering: .sequentiallyConsistent).exchanged
        }
        if Self.isClosed.load(ordering: .sequentiallyConsistent) { end() }
    }

    deinit { end() }

    /// Whether the leader has ended.
    var hasEnded: Bool { isOver || !Self.isRunning(leader) }

    /// Waits for the leader's end, so long at most.
    func wait(seconds: Double) {
        var left = Int(seconds * 1000)
        var pause = 1
        while left > 0, !hasEnded {
            poll(nil, 0, Int32(pause))
            left -= pause
            pause = min(pause * 2, 10)
        }
    }

    /// Asks the group to end and, half a second after the leader has not, makes it. It is safe to be called again.
    func end() {
        guard !isOver else { return }
        Self.ask(leader)
        wait(seconds: 0.5)
        // the leader's number cannot be another's before it is waited for
        kill(-leader, SIGKILL)
        wait(seconds: 1)
        place?.leader.store(0, ordering: .sequentiallyConsistent)
        isOver = true
        var code: Int32 = 0
        // one that the kernel cannot end, as on a dead file system, is left
        if waitpid(leader, &code, WNOHANG) == leader {
            status = code & 0x7f == 0 ? "exit \((code >> 8) & 0xff)" : "signal \(code & 0x7f)"
        }
    }

    /// Asks to end; one that is stopped has to go on to hear it.
    private static func ask(_ leader: pid_t) {
        kill(-leader, SIGTERM)
        kill(-leader, SIGCONT)
    }

    private static func isRunning(_ leader: pid_t) -> Bool {
        var found = siginfo_t()
        while waitid(P_PID, id_t(leader), &found, WEXITED | WNOHANG | WNOWAIT) != 0 {
            guard errno == EINTR else { return false }
        }
        return found.si_signo == 0
    }

    private static func spawn(_ command: String, _ input: Int32, _ output: Int32) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        var failures = [
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO),
            posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO),
            posix_spawnattr_setsigmask(&attributes, &signals),
        ]
        // what this process ignores, a new one does not
        sigaddset(&signals, SIGPIPE)
        sigaddset(&signals, SIGXFSZ)
        failures += [
            posix_spawnattr_setsigdefault(&attributes, &signals), posix_spawnattr_setpgroup(&attributes, 0),
            posix_spawnattr_setflags(
                &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)),
        ]
        if let code = failures.first(where: { $0 != 0 }) { throw SystemError(code: code) }
        let words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
        var variables: [UnsafeMutablePointer<CChar>?] = []
        for (name, value) in ProcessInfo.processInfo.environment { variables.append(strdup("\(name)=\(value)")) }
        variables.append(nil)
        defer { for text in words + variables { free(text) } }
        var leader: pid_t = 0
        let code = posix_spawn(&leader, "/bin/sh", &actions, &attributes, words, variables)
        guard code == 0 else { throw SystemError(code: code) }
        return leader
    }

    // MARK: All groups of this process

    /// Where a handler of signals finds a group.
    private final class Place: Sendable {
        let leader = Atomic<pid_t>(0)
    }

    /// More than are ever used at once; a group beyond them only misses ``endAll()``. Handlers of signals need state that belongs to the
    /// process, and atomic.
    private static let places = (0..<32).map { _ in Place() }
    private static let isClosed = Atomic<Bool>(false)
    private static let isHurried = Atomic<Bool>(false)

    /// Whether the process has been asked to end, so that nobody should wait long for a child. A handler of signals may set it.
    package static var shouldHurry: Bool {
        get { isHurried.load(ordering: .sequentiallyConsistent) }
        set { isHurried.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// To be called before a handler of signals that calls ``endAll()`` can run: it must not be the one that sets the state up.
    package static func prepare() {
        _ = places.count
        _ = isClosed.load(ordering: .relaxed)
        _ = isHurried.load(ordering: .relaxed)
    }

    /// Ends all groups, as the last thing before the process does; from then on none is started. It can be called from a handler of
    /// signals and takes half a second at most.
    package static func endAll() {
        isClosed.store(true, ordering: .sequentiallyConsistent)
        for place in places {
            let leader = place.leader.load(ordering: .sequentiallyConsistent)
            if leader > 0 { ask(leader) }
        }
        for _ in 0..<50 {
            var count = 0
            for place in places {
                let leader = place.leader.load(ordering: .sequentiallyConsistent)
                if leader > 0, isRunning(leader) { count += 1 }
            }
            if count == 0 { break }
            poll(nil, 0, 10)
        }
        for place in places {
            let leader = place.leader.load(ordering: .sequentiallyConsistent)
            if leader > 0 { kill(-leader, SIGKILL) }
        }
    }
}
