// the C library declares `stdout` as a variable, which nothing changes
@preconcurrency internal import Foundation
internal import Synchronization

/// Standard output, with errors: `print` ignores a full disk and a closed pipe.
enum StandardOutput {
    /// Whether a direct write has failed.
    private static let hasFailed = Atomic<Bool>(false)

    /// Writes a piece of text at once, behind everything that was printed.
    static func write(_ text: String) {
        fflush(nil)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return hasFailed.store(true, ordering: .relaxed) }
            rest = rest.dropFirst(count)
        }
    }

    /// - Throws: `OutputFailure` if something that was printed or written did not arrive.
    static func check() throws {
        // a text that is longer than the buffer fails when it is printed, and flushing succeeds then
        let isWritten = fflush(nil) == 0 && ferror(stdout) == 0
        guard isWritten, !hasFailed.load(ordering: .relaxed) else { throw OutputFailure() }
    }
}

/// Standard output could not be written.
struct OutputFailure: ProgramExitProviding, CustomStringConvertible {
    var programExit: ProgramExit { .inputOutput }
    var description: String { "cannot write to standard output; the disk may be full, or the program that reads it has ended" }
}
