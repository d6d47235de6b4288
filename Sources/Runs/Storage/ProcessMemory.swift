internal import Foundation

/// What the operating system says about the memory of this process.
enum ProcessMemory {
    /// The most bytes that it has had in memory so far; nil where the system does not say.
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
