/// Thrown when a signal has asked the program to end, and the scorer or judge that it waits for does not answer.
public struct StoppedWaiting: Error, Equatable, Sendable, CustomStringConvertible {
    /// The seconds without an answer that are still waited for after the signal.
    public static let seconds = 10.0

    /// The shell command that is waited for.
    public var command: String

    public var description: String {
        "ended as asked, without this step: '\(command)' gave no answer in time; the same command goes on from the last checkpoint"
    }
}
