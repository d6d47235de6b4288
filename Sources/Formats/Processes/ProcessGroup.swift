internal import Foundation
internal import Synchronization

/// A shell command in a separate process group, which can be ended together with all processes that it starts.
///
/// The group is not the terminal's foreground group: Ctrl-C reaches only this process, which then ends the group.
package final class ProcessGroup {
    /// The process ID of the shell, which is also the ID of the group.
    private let leader: pid_t
    private let place: Place?
    /// How the leader ended; nil before ``end()``.
    private(set) var status: String?
    private var isOver = false

    /// Starts a command with `/bin/sh`, with default signal handling.
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

    /// Waits until the leader has ended, at most `seconds`.
    func wait(seconds: Double) {
        var left = Int(seconds * 1000)
        var pause = 1
        while left > 0, !hasEnded {
            poll(nil, 0, Int32(pause))
            left -= pause
            pause = min(pause * 2, 10)
        }
    }

    /// Ends the group: SIGTERM, then SIGKILL if the leader has not ended within half a second. Repeated calls have no effect.
    func end() {
        guard !isOver else { return }
        Self.ask(leader)
        wait(seconds: 0.5)
        // the kernel cannot reuse the leader's process ID before waitpid
        kill(-leader, SIGKILL)
        wait(seconds: 1)
        place?.leader.store(0, ordering: .sequentiallyConsistent)
        isOver = true
        var code: Int32 = 0
        // a process that the kernel cannot kill, as on a dead network file system, is abandoned
        if waitpid(leader, &code, WNOHANG) == leader {
            status = code & 0x7f == 0 ? "exit \((code >> 8) & 0xff)" : "signal \(code & 0x7f)"
        }
    }

    /// Asks the group to end. SIGCONT lets a stopped process handle SIGTERM.
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
        // restore the default action of signals that this process ignores
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

    /// A slot in which a signal handler finds a group.
    private final class Place: Sendable {
        let leader = Atomic<pid_t>(0)
    }

    /// Slots for running groups, more than are ever in use at once. Without a slot, a group is only missed by ``endAll()``.
    /// Signal handlers require global atomic state.
    private static let places = (0..<32).map { _ in Place() }
    private static let isClosed = Atomic<Bool>(false)
    private static let isHurried = Atomic<Bool>(false)

    /// Whether the process has been asked to end, so that waits for a child should be short. A signal handler may set it.
    package static var shouldHurry: Bool {
        get { isHurried.load(ordering: .sequentiallyConsistent) }
        set { isHurried.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Initialises the global state. Call it before installing a signal handler that calls ``endAll()``, because the handler must
    /// not initialise it.
    package static func prepare() {
        _ = places.count
        _ = isClosed.load(ordering: .relaxed)
        _ = isHurried.load(ordering: .relaxed)
    }

    /// Ends all groups just before the process exits, and prevents new ones from starting. It may be called from a signal handler
    /// and takes at most half a second.
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
