import Tensor
public import Study
/// Where runs are stored, and the seed and number of threads for measuring them.
public struct MeasuringSettings: Settings {
    /// The folder of runs, used to find runs that are named by ID.
    public var outputDir = "runs"
    /// The seed of every random draw, such as bootstrap resampling.
    public var seed: UInt64 = 42
    /// The number of CPU threads, above 0. Default: all processors.
    public var threads: Int?

    /// The defaults.
    public init() {}

    /// Checks the range of every setting.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard threads.map({ $0 > 0 }) ?? true else { throw InvalidSetting("--threads must be above 0") }
    }

    /// Calls `body` with the number of threads that the settings give.
    func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Compute.$threads.withValue(threads ?? Compute.threads, operation: body)
    }
}
