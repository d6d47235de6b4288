import Foundation
import Runs
import Tensor

/// Settings of the run itself: its folder, seed, processors, checkpoints and memory.
public struct RunSettings: Settings {
    /// The folder that contains the run folders.
    public var outputDir = "runs"
    /// The name of the run folder. Default: sft, rm, ppo, bon or diversity, depending on the program.
    public var runId: String?
    /// What to do if the run exists: allow (resume it, or start a new one), must (resume it or fail), never (fail if it exists).
    public var resume = "allow"
    /// The seed of every random choice of the run.
    public var seed: UInt64 = 42
    /// The number of threads. Default: all processors.
    public var threads: Int?
    /// The matmul precision of products with weights: f32, or bf16 with f32 sums, which is faster and less exact.
    public var dtype = "f32"
    /// The number of checkpoints to keep, the newest ones. Default: all if they follow steps, 2 if they follow minutes.
    public var checkpointLimit: Int?
    /// Minutes between two checkpoints if no number of steps is given; 0 for none.
    public var checkpointMinutes = 10.0
    /// The maximum memory that the run may be expected to need, such as 6G or 800M. Default: the available memory.
    public var memoryLimit: String?

    /// Whether the time of each operation and the idle time of each thread are measured, and written to profile.json in the run
    /// folder.
    public var profile = false

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard ResumePolicy(rawValue: resume) != nil else {
            throw InvalidSetting("--resume is '\(resume)'; expected allow, must or never")
        }
        if let runId {
            do {
                try RunFolderError.checkName(runId)
            } catch {
                throw InvalidSetting("--run-id: \(error); set the parent folder with --output-dir")
            }
        }
        guard threads.map({ $0 > 0 }) ?? true else { throw InvalidSetting("--threads must be above 0") }
        guard Compute.Precision(rawValue: dtype) != nil else {
            let names = Compute.Precision.allCases.map(\.rawValue).joined(separator: " or ")
            throw InvalidSetting("--dtype is '\(dtype)'; expected \(names)")
        }
        guard checkpointMinutes >= 0 else { throw InvalidSetting("--checkpoint-minutes must not be negative") }
        guard memoryLimit.map({ ByteCount($0) != nil }) ?? true else {
            throw InvalidSetting("--memory-limit is '\(memoryLimit ?? "")'; expected a number with K, M, G or T, such as 6G")
        }
        guard checkpointLimit.map({ $0 > 0 }) ?? true else { throw InvalidSetting("--checkpoint-limit must be above 0") }
    }

    /// The folder that contains the run folders.
    var folder: URL { URL(fileURLWithPath: outputDir, isDirectory: true) }

    /// Calls `body` with the number of threads and the precision of these settings.
    func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Compute.$threads.withValue(threads ?? Compute.threads) {
            try Compute.$precision.withValue(Compute.Precision(rawValue: dtype) ?? .f32, operation: body)
        }
    }
}
