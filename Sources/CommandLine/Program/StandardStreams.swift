internal import Foundation

/// The three descriptors of a process for input, output and errors.
enum StandardStreams {
    /// Opens `/dev/null` for those that the caller has closed. Otherwise the next file that the program opens would get the
    /// descriptor, and messages would be written into it.
    static func open() {
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) == -1 && errno == EBADF {
            // the lowest free descriptor is this one, because those below it are open. Messages are dropped; output that cannot be
            // written remains an error.
            _ = Foundation.open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
