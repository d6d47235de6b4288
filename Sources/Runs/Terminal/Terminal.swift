internal import Foundation

/// What standard error is connected to: who reads it, how wide it is, which characters it shows.
public struct Terminal: Sendable {
    /// Whether lines can be redrawn.
    public var isInteractive: Bool
    /// Whether characters outside ASCII are shown.
    public var showsUnicode: Bool
    /// The present width in columns; people resize windows.
    public var width: @Sendable () -> Int
    /// Writes text as it is. What cannot be written is lost: a closed terminal must not end a run.
    public var write: @Sendable (String) -> Void

    /// A terminal of any kind, such as one that records for a test.
    public init(
        isInteractive: Bool, showsUnicode: Bool, width: @escaping @Sendable () -> Int,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.isInteractive = isInteractive
        self.showsUnicode = showsUnicode
        self.width = width
        self.write = write
    }

    /// The process's standard error.
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

    /// The width that the terminal driver knows; nil when it knows none.
    static func width(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

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

/// Seconds on a clock that never jumps, whatever happens to the time of day.
package enum SteadyClock {
    package static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
