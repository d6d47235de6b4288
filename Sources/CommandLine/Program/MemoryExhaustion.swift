internal import Runs
internal import Formats
internal import Foundation
internal import Synchronization
internal import Tensor

/// Ends a program with an error line and `ProgramExit.usage` when the system has no memory for it.
///
/// Tensors come from an allocator that says so. Everything else comes from the Swift runtime, which writes a line of its own and aborts,
/// or crashes while it writes it: the cause is then found in `errno`.
enum MemoryExhaustion {
    /// The address of the beginning of the error line, text of C that a signal handler may read; 0 until ``endsProgram(_:)``. It belongs to
    /// the process, as signals do.
    private static let opening = Atomic<UInt>(0)

    /// - Parameter name: of the program.
    static func endsProgram(_ name: String) {
        opening.store(UInt(bitPattern: strdup("\n\(name): error: ")), ordering: .sequentiallyConsistent)
        Allocator.shared.endsProcess { problem in
            Terminal.write("\n\(name): error: \(problem); use a smaller model or smaller batches\n", to: STDERR_FILENO)
            ProcessGroup.endAll()
            _exit(ProgramExit.usage.rawValue)
        }
        for signal in [SIGABRT, SIGSEGV, SIGILL, SIGTRAP] {
            var action = sigaction()
            sigemptyset(&action.sa_mask)
            // the second time the signal does what it always did
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER
            action.__sigaction_handler.sa_handler = { signal in
                let address = MemoryExhaustion.opening.load(ordering: .sequentiallyConsistent)
                guard errno == ENOMEM, let opening = UnsafePointer<CChar>(bitPattern: address) else {
                    raise(signal)
                    return
                }
                _ = write(STDERR_FILENO, opening, strlen(opening))
                let text: StaticString = "there is no more memory; use less data, a smaller model or smaller batches\n"
                _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
                ProcessGroup.endAll()
                _exit(ProgramExit.usage.rawValue)
            }
            sigaction(signal, &action, nil)
        }
    }
}
