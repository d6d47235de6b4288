internal import Formats
internal import Foundation
internal import Synchronization

/// Receives the signals sent to the process.
///
/// SIGINT, SIGTERM and SIGHUP (a closed terminal; unless it is ignored, as under nohup) ask the process to end with status 75,
/// `ProgramExit.tryAgain`. During training steps (`waitsForStep`), the current step is finished first and a checkpoint is
/// written; a second signal ends the process immediately with status 128 + its number (130, 143 or 129), without writing
/// anything. A SIGTERM within a second of the first counts as the same, because Slurm sends two at a time limit. At all
/// other times (loading, measuring, after the last step) there is nothing to save, and the process ends
/// immediately. SIGUSR1 asks for a checkpoint, after which the run continues. SIGPIPE is ignored: writing to a closed pipe
/// fails with an error instead. Before the process ends immediately, it ends the scorers and judges that it started; a step
/// that waits for one of them is abandoned if it does not answer (`StoppedWaiting`). A process that already ends with a status
/// (`endsNow`) keeps this status.
///
/// The state is atomic and global, since signals concern the whole process. Besides that of `ProcessGroup`, it is the only such
/// state.
public enum Signals {
    private static let stop = Atomic<Int32>(0)
    /// When `stop` was set, in nanoseconds of the monotonic clock.
    private static let stopTime = Atomic<Int>(0)
    private static let checkpoint = Atomic<Bool>(false)
    private static let waits = Atomic<Bool>(false)
    private static let silent = Atomic<Bool>(false)
    /// The exit status with which the process already ends; below 0 if it does not.
    private static let ending = Atomic<Int32>(-1)

    /// Installs the signal handlers. Before this call, signals end the process as usual.
    public static func install() {
        // Accesses both values before a handler can run, so that a handler never initialises them.
        _ = stop.load(ordering: .relaxed)
        _ = stopTime.load(ordering: .relaxed)
        _ = checkpoint.load(ordering: .relaxed)
        _ = waits.load(ordering: .relaxed)
        _ = silent.load(ordering: .relaxed)
        _ = ending.load(ordering: .relaxed)
        ProcessGroup.prepare()
        for signal in [SIGINT, SIGTERM, SIGHUP] where signal != SIGHUP || !isIgnored(SIGHUP) {
            handle(signal) { signal in
                let status = Signals.ending.load(ordering: .sequentiallyConsistent)
                if status >= 0 {
                    if signal == SIGTERM { return }
                    ProcessGroup.endAll()
                    _exit(status)
                }
                let first = Signals.stop.exchange(signal, ordering: .sequentiallyConsistent)
                guard first == 0 else {
                    let elapsed = Signals.now - Signals.stopTime.load(ordering: .sequentiallyConsistent)
                    if first == SIGTERM, signal == SIGTERM, elapsed < 1_000_000_000 { return }
                    ProcessGroup.endAll()
                    _exit(128 + signal)
                }
                Signals.stopTime.store(Signals.now, ordering: .sequentiallyConsistent)
                guard Signals.waits.load(ordering: .sequentiallyConsistent) else {
                    let text: StaticString = "\nstopped by a signal outside of training steps; run the same command again to continue\n"
                    Signals.tell(text)
                    ProcessGroup.endAll()
                    _exit(ProgramExit.tryAgain.rawValue)
                }
                ProcessGroup.shouldHurry = true
                let text: StaticString = "\nfinishing this step and writing a checkpoint; a second signal ends the process at once\n"
                Signals.tell(text)
            }
        }
        handle(SIGUSR1) { _ in Signals.checkpoint.store(true, ordering: .sequentiallyConsistent) }
        ignore(SIGPIPE)
        // a process inherits the signal mask of the thread that started it, and threads of a pool often block all signals
        var all = sigset_t()
        sigemptyset(&all)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR1] { sigaddset(&all, signal) }
        pthread_sigmask(SIG_UNBLOCK, &all, nil)
    }

    /// The monotonic clock in nanoseconds; a signal handler may read it.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Whether the process is in a training step, so that a signal to end waits for a checkpoint.
    public static var waitsForStep: Bool {
        get { waits.load(ordering: .sequentiallyConsistent) }
        set { waits.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Says that the process ends with a status, for example because of an error. From now on SIGTERM has no effect, since a launcher
    /// sends it to the remaining processes when one has ended with an error; SIGINT and SIGHUP end the process at once with the status,
    /// without a message.
    package static func endsNow(with status: Int32) {
        ending.store(status, ordering: .sequentiallyConsistent)
    }

    /// Whether signals are handled without messages, because another process of the program prints them.
    static var isSilent: Bool {
        get { silent.load(ordering: .sequentiallyConsistent) }
        set { silent.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Writes a message; it may be called by a signal handler.
    private static func tell(_ text: StaticString) {
        guard !silent.load(ordering: .sequentiallyConsistent) else { return }
        _ = Foundation.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Whether a signal to end has been received.
    public static var isStopRequested: Bool { stop.load(ordering: .sequentiallyConsistent) != 0 }

    /// Whether SIGUSR1 has been received since the last call.
    public static func takeCheckpointRequest() -> Bool {
        checkpoint.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Resets all state; for tests.
    package static func forget() {
        stop.store(0, ordering: .sequentiallyConsistent)
        checkpoint.store(false, ordering: .sequentiallyConsistent)
        waits.store(false, ordering: .sequentiallyConsistent)
        ending.store(-1, ordering: .sequentiallyConsistent)
        ProcessGroup.shouldHurry = false
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        sigaction(signal, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Ignores a signal.
    static func ignore(_ signal: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = SIG_IGN
        sigaction(signal, &action, nil)
    }

    private static func handle(_ signal: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        sigemptyset(&action.sa_mask)
        action.sa_flags = SA_RESTART
        action.__sigaction_handler.sa_handler = handler
        sigaction(signal, &action, nil)
    }
}
