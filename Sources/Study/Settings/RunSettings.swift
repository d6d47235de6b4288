import Foundation
import Runs
import Tensor

/// Where a run writes, and how it runs.
public struct RunSettings: Settings {
    /// The folder that run folders are made in.
    public var outputDir = "runs"
    /// The run folder's name in it; unless given sft, rm, ppo, bon or diversity, by the program.
    public var runId: String?
    /// What to do with a run that is there already: allow (go on), must (go on or fail), never.
    public var resume = "allow"
    /// Decides every random choice of the run.
    public var seed: UInt64 = 42
    /// Processors to use; all of them unless given.
    public var threads: Int?
    /// What products with weights multiply: f32, or bf16 with f32 sums, which is faster and rounds.
    public var dtype = "f32"
    /// Checkpoints to keep, the newest; unless given all of those that come by steps, 2 of those that come by minutes.
    public var checkpointLimit: Int?
    /// Minutes between two checkpoints where their steps are not given; 0 for none.
    public var checkpointMinutes = 10.0
    /// The most memory that the run may be expected to need, such as 6G or 800M; what is free unless given.
    public var memoryLimit: String?

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard ResumePolicy(rawValue: resume) != nil else {
            throw InvalidSetting("--resume is '\(resume)'; it takes allow, must or never")
        }
        if let runId {
            do {
                try RunFolderError.checkName(runId)
            } catch {
                throw InvalidSetting("--run-id: \(error); --output-dir says where the folder lies")
            }
        }
        guard threads.map({ $0 > 0 }) ?? true else { throw InvalidSetting("--threads must be above 0") }
        guard Compute.Precision(rawValue: dtype) != nil else {
            let names = Compute.Precision.allCases.map(\.rawValue).joined(separator: " or ")
            throw InvalidSetting("--dtype is '\(dtype)'; it takes \(names)")
        }
        guard checkpointMinutes >= 0 else { throw InvalidSetting("--checkpoint-minutes must not be negative") }
        guard memoryLimit.map({ ByteCount($0) != nil }) ?? true else {
            throw InvalidSetting("--memory-limit is '\(memoryLimit ?? "")'; it takes a number with K, M, G or T, such as 6G")
        }
        guard checkpointLimit.map({ $0 > 0 }) ?? true else { throw InvalidSetting("--checkpoint-limit must be above 0") }
    }

    /// The folder that run folders are made in.
    var folder: URL { URL(fileURLWithPath: outputDir, isDirectory: true) }

    /// Calls `body` with the processors and the precision that the options ask for.
    func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Compute.$threads.withValue(threads ?? Compute.threads) {
            try Compute.$precision.withValue(Compute.Precision(rawValue: dtype) ?? .f32, operation: body)
        }
    }
}
