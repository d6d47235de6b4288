import Tensor
public import Study
/// Where runs are, and how they are measured.
public struct MeasuringSettings: Settings {
    /// The folder of runs, for those that are named by id.
    public var outputDir = "runs"
    /// Decides every random draw.
    public var seed: UInt64 = 42
    /// Processors to use; all of them unless given.
    public var threads: Int?

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard threads.map({ $0 > 0 }) ?? true else { throw InvalidSetting("--threads must be above 0") }
    }

    /// Calls `body` with the processors that the settings ask for.
    func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Compute.$threads.withValue(threads ?? Compute.threads, operation: body)
    }
}
