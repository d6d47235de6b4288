/// The error thrown when a signal asked the program to end and the scorer or judge that it waits for does not answer in time.
public struct StoppedWaiting: Error, Equatable, Sendable, CustomStringConvertible {
    /// The maximum time in seconds to wait for an answer after the signal.
    public static let seconds = 10.0

    /// The shell command of the scorer or judge.
    public var command: String

    /// One line that says what was interrupted and how to continue.
    public var description: String {
        "stopped on request without finishing this step: '\(command)' did not answer in time; rerun to continue from the last checkpoint"
    }
}
