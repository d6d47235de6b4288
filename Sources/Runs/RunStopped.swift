/// Thrown when a run stops early on request, after its checkpoint has been written.
public struct RunStopped: Error, Equatable, Sendable, CustomStringConvertible {
    /// The number of completed steps.
    public var step: Int
    /// The path of the run folder.
    public var path: String

    /// Creates the error.
    public init(step: Int, path: String) {
        self.step = step
        self.path = path
    }

    /// The message, on one line.
    public var description: String {
        "stopped after step \(step) as requested; \(path) has a checkpoint; run the same command again to resume"
    }
}
