internal import Runs
internal import Formats
internal import Foundation
internal import Synchronization
internal import Tensor

/// Ends a program with an error message and `ProgramExit.usage` if memory is exhausted.
///
/// The allocator for tensors reports this itself. For all other memory, the Swift runtime aborts with a message of its own, or
/// crashes while writing it; a signal handler then recognises the cause from `errno`.
enum MemoryExhaustion {
    /// The address of the start of the error message, a C string that a signal handler can read; 0 before ``endsProgram(_:)``.
    /// It is global, since signals concern the whole process.
    private static let opening = Atomic<UInt>(0)

    /// Installs the handlers for exhausted memory.
    /// - Parameter name: the program's name, for the error message.
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
            // a second signal has the default effect
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER
            action.__sigaction_handler.sa_handler = { signal in
                let address = MemoryExhaustion.opening.load(ordering: .sequentiallyConsistent)
                guard errno == ENOMEM, let opening = UnsafePointer<CChar>(bitPattern: address) else {
                    raise(signal)
                    return
                }
                _ = write(STDERR_FILENO, opening, strlen(opening))
                let text: StaticString = "out of memory; use less data, a smaller model or smaller batches\n"
                _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
                ProcessGroup.endAll()
                _exit(ProgramExit.usage.rawValue)
            }
            sigaction(signal, &action, nil)
        }
    }
}
