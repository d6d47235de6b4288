internal import Formats
internal import Foundation
internal import Synchronization

/// What signals have asked of the process.
///
/// SIGINT, SIGTERM and SIGHUP (a closed terminal; unless it is ignored, as under nohup) ask to end with
/// `ProgramExit.tryAgain`, 75. While a step is worked on (`waitsForStep`) it is finished first and a checkpoint written;
/// a second signal ends the process at once with 128 + its number (130, 143, 129), and nothing is written. At all other
/// times (loading, measuring, what follows the last step) there is nothing that a checkpoint could save, and the process
/// ends at once. SIGUSR1 asks for a checkpoint and to go on. SIGPIPE is ignored: a closed pipe is an error of the write
/// that met it. Whenever the process ends at once, the scorers and judges that it has started end first; a
/// step that waits for one of them is left when it does not answer (`StoppedWaiting`).
///
/// The state belongs to the process, as signals do; it is the only such state beside that of `ProcessGroup`, and atomic.
public enum Signals {
    private static let stop = Atomic<Int32>(0)
    private static let checkpoint = Atomic<Bool>(false)
    private static let waits = Atomic<Bool>(false)

    /// Begins to receive signals; before this call they end the process as usual.
    public static func install() {
        // Both values exist before a handler can run: a handler must not be the one that sets them up.
        _ = stop.load(ordering: .relaxed)
        _ = checkpoint.load(ordering: .relaxed)
        _ = waits.load(ordering: .relaxed)
        ProcessGroup.prepare()
        for signal in [SIGINT, SIGTERM, SIGHUP] where signal != SIGHUP || !isIgnored(SIGHUP) {
            handle(signal) { signal in
                guard Signals.stop.exchange(signal, ordering: .sequentiallyConsistent) == 0 else {
                    ProcessGroup.endAll()
                    _exit(128 + signal)
                }
                guard Signals.waits.load(ordering: .sequentiallyConsistent) else {
                    let text: StaticString = "\nended as asked; there was no step to finish, and the same command goes on\n"
                    _ = Foundation.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
                    ProcessGroup.endAll()
                    _exit(ProgramExit.tryAgain.rawValue)
                }
                ProcessGroup.shouldHurry = true
                let text: StaticString = "\nfinishing this step and writing a checkpoint; once more ends at once\n"
                _ = Foundation.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
            }
        }
        handle(SIGUSR1) { _ in Signals.checkpoint.store(true, ordering: .sequentiallyConsistent) }
        ignore(SIGPIPE)
        // a process begins with the mask of the thread that started it, and threads of a pool often block every signal
        var all = sigset_t()
        sigemptyset(&all)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR1] { sigaddset(&all, signal) }
        pthread_sigmask(SIG_UNBLOCK, &all, nil)
    }

    /// Whether the process is at work on steps, so that a signal to end waits for a checkpoint.
    public static var waitsForStep: Bool {
        get { waits.load(ordering: .sequentiallyConsistent) }
        set { waits.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Whether one of the signals that ask to end has come.
    public static var isStopRequested: Bool { stop.load(ordering: .sequentiallyConsistent) != 0 }

    /// Whether SIGUSR1 has come since the last call.
    public static func takeCheckpointRequest() -> Bool {
        checkpoint.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Forgets all requests; for tests.
    package static func forget() {
        stop.store(0, ordering: .sequentiallyConsistent)
        checkpoint.store(false, ordering: .sequentiallyConsistent)
        waits.store(false, ordering: .sequentiallyConsistent)
        ProcessGroup.shouldHurry = false
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        sigaction(signal, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

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
