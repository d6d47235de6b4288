internal import Foundation

/// The output device of progress messages: whether it is interactive, its width, and its character set.
public struct Terminal: Sendable {
    /// Whether lines can be redrawn.
    public var isInteractive: Bool
    /// Whether non-ASCII characters can be displayed.
    public var showsUnicode: Bool
    /// Returns the current width in columns, which may change when the window is resized.
    public var width: @Sendable () -> Int
    /// Writes text without changes. Write errors are ignored: a closed terminal must not stop a run.
    public var write: @Sendable (String) -> Void

    /// Creates a terminal, such as one that records output for a test.
    public init(
        isInteractive: Bool, showsUnicode: Bool, width: @escaping @Sendable () -> Int,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.isInteractive = isInteractive
        self.showsUnicode = showsUnicode
        self.width = width
        self.write = write
    }

    /// The standard error of the process.
    public static func standardError() -> Terminal {
        let environment = ProcessInfo.processInfo.environment
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let columns = environment["COLUMNS"].flatMap { Int($0) }
        return Terminal(
            isInteractive: isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb",
            showsUnicode: locale.uppercased().replacing("-", with: "").contains("UTF8"),
            width: { width(of: STDERR_FILENO) ?? columns.flatMap { $0 > 0 ? $0 : nil } ?? 80 },
            write: { text in write(text, to: STDERR_FILENO) })
    }

    /// The width that the terminal driver reports; nil if it reports none.
    package static func width(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes text to a file descriptor and ignores errors.
    package static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let count = Foundation.write(descriptor, start, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }
}

/// A monotonic clock, which changes of the time of day do not affect.
package enum SteadyClock {
    /// The current time in seconds since an arbitrary start.
    package static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
