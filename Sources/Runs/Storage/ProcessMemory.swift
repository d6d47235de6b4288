internal import Foundation

/// The memory use of this process.
enum ProcessMemory {
    /// The peak resident memory of the process in bytes; nil if the operating system does not report it.
    static var peak: Int? {
        var usage = rusage()
        #if os(Linux)
            guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
            return usage.ru_maxrss * 1024
        #else
            guard getrusage(RUSAGE_SELF, &usage) == 0 else { return nil }
            return usage.ru_maxrss
        #endif
    }
}
