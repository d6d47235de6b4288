public import ArgumentParser
import Tensor

/// Where a run writes, and how it runs.
public struct RunOptions: ProgramOptions {
    @Option(help: "The folder that run folders are made in.")
    public var outputDir = "runs"
    @Option(help: "The run folder's name in it; unless given sft, rm, ppo, bon or diversity, by the program.")
    public var runId: String?
    @Option(help: "What to do with a run that is there already: allow (go on), must (go on or fail), never.")
    public var resume = "allow"
    @Option(help: "Decides every random choice of the run.")
    public var seed: UInt64 = 42
    @Option(help: "Processors to use; all of them unless given.")
    public var threads: Int?
    @Option(help: "What products with weights multiply: f32, or bf16 with f32 sums, which is faster and rounds.")
    public var dtype = "f32"
    @Option(
        help: "Checkpoints to keep, the newest; unless given all of those that come by steps, 2 of those that come by minutes.")
    public var checkpointLimit: Int?
    @Option(help: "Minutes between two checkpoints where their steps are not given; 0 for none.")
    public var checkpointMinutes = 10.0
    @Option(help: "The most memory that the run may be expected to need, such as 6G or 800M; what is free unless given.")
    public var memoryLimit: String?
    @Option(help: "A YAML or JSON file with values for any of these options, or another run's config.json.")
    public var config: String?

    public init() {}

    /// Other names of options.
    public static let aliases = ["save-total-limit": "checkpoint-limit"]
    /// Options that the original's commands name without a value.
    public static let mayLackValue: Set<String> = ["output-dir"]

    public func validate() throws {
        guard ResumePolicy(rawValue: resume) != nil else {
            throw ValidationError("--resume is '\(resume)'; it takes allow, must or never")
        }
        if let runId {
            do {
                try RunFolderError.checkName(runId)
            } catch {
                throw ValidationError("--run-id: \(error); --output-dir says where the folder lies")
            }
        }
        guard threads.map({ $0 > 0 }) ?? true else { throw ValidationError("--threads must be above 0") }
        guard Compute.Precision(rawValue: dtype) != nil else {
            let names = Compute.Precision.allCases.map(\.rawValue).joined(separator: " or ")
            throw ValidationError("--dtype is '\(dtype)'; it takes \(names)")
        }
        guard checkpointMinutes >= 0 else { throw ValidationError("--checkpoint-minutes must not be negative") }
        guard memoryLimit.map({ ByteCount($0) != nil }) ?? true else {
            throw ValidationError("--memory-limit is '\(memoryLimit ?? "")'; it takes a number with K, M, G or T, such as 6G")
        }
        guard checkpointLimit.map({ $0 > 0 }) ?? true else { throw ValidationError("--checkpoint-limit must be above 0") }
    }

    /// Calls `body` with the processors and the precision that the options ask for.
    func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Compute.$threads.withValue(threads ?? Compute.threads) {
            try Compute.$precision.withValue(Compute.Precision(rawValue: dtype) ?? .f32, operation: body)
        }
    }
}
