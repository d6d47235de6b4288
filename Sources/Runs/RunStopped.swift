/// Thrown when a run ends early because that was asked for, after its checkpoint is written.
public struct RunStopped: Error, Equatable, Sendable, CustomStringConvertible {
    /// Steps done.
    public var step: Int
    /// Where the run lies.
    public var path: String

    /// A stop after some steps.
    public init(step: Int, path: String) {
        self.step = step
        self.path = path
    }

    public var description: String {
        "stopped after step \(step) as asked; \(path) has the checkpoint, and the same command goes on from it"
    }
}
