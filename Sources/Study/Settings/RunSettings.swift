import Formats
package import Foundation
import Models
import Runs
import Tensor
import Train

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
    /// The number of threads. Default: all processors; under mpirun, those of a machine divided among its processes.
    public var threads: Int?
    /// The matmul precision of products with weights and of attention: f32, or bf16 with f32 sums, which is faster and less exact.
    public var dtype = "f32"
    /// How frozen weights are held in memory: f32 (as they are stored), bf16 or int8 (rounded). Results are saved with the weights
    /// as they were stored, except those that were converted when they were read (see `FrozenWeights`): their rounded numbers are
    /// saved.
    public var frozenDtype = FrozenFormat.f32.rawValue
    /// How trained weight matrices are kept between steps: f32, or bf16, rounded stochastically by each step.
    public var masterDtype = MasterFormat.f32.rawValue
    /// How gradients of weight matrices are kept until the weights are updated: f32, or bf16, rounded stochastically after each pass.
    public var gradientDtype = GradientFormat.f32.rawValue
    /// The number of checkpoints to keep, the newest ones. Default: all if they follow steps, 2 if they follow minutes.
    public var checkpointLimit: Int?
    /// Minutes between two checkpoints if no number of steps is given; 0 for none.
    public var checkpointMinutes = 10.0
    /// The maximum memory that the run may be expected to need, such as 6GB or 800MB (powers of 1000) or 6GiB (powers of 1024).
    /// Default: the available memory.
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
        guard FrozenFormat(rawValue: frozenDtype) != nil else {
            let names = FrozenFormat.allCases.map(\.rawValue)
            throw InvalidSetting(
                "--frozen-dtype is '\(frozenDtype)'; expected \(names.dropLast().joined(separator: ", ")) or \(names.last ?? "")")
        }
        guard MasterFormat(rawValue: masterDtype) != nil else {
            throw InvalidSetting("--master-dtype is '\(masterDtype)'; expected f32 or bf16")
        }
        guard GradientFormat(rawValue: gradientDtype) != nil else {
            throw InvalidSetting("--gradient-dtype is '\(gradientDtype)'; expected f32 or bf16")
        }
        guard checkpointMinutes >= 0 else { throw InvalidSetting("--checkpoint-minutes must not be negative") }
        if let memoryLimit { try Self.check(memoryLimit: memoryLimit) }
        guard checkpointLimit.map({ $0 > 0 }) ?? true else { throw InvalidSetting("--checkpoint-limit must be above 0") }
    }

    /// Checks that a limit is a number of bytes of at least 1 MB. A smaller number probably lacks its unit.
    private static func check(memoryLimit text: String) throws {
        guard let limit = ByteCount(text) else {
            throw InvalidSetting("--memory-limit is '\(text)'; expected \(ByteCount.expected)")
        }
        guard limit.bytes < 1_000_000 else { return }
        let number = text.trimmingCharacters(in: .whitespaces).prefix { $0.isNumber || $0 == "." }
        throw InvalidSetting("--memory-limit \(text) is \(limit); write \(number)MB for megabytes")
    }

    /// The format in which frozen weights are held.
    var frozenFormat: FrozenFormat { FrozenFormat(rawValue: frozenDtype) ?? .f32 }

    /// The format in which trained weights are kept.
    var masterFormat: MasterFormat { MasterFormat(rawValue: masterDtype) ?? .f32 }

    /// The format in which gradients are kept.
    var gradientFormat: GradientFormat { GradientFormat(rawValue: gradientDtype) ?? .f32 }

    /// Checks that no format of trained weights and their gradients is given, for programs that train no language model.
    /// - Throws: `InvalidSetting`.
    func refuseTrainedFormats() throws {
        let usual = RunSettings()
        for (option, value, usual) in [
            ("--master-dtype", masterDtype, usual.masterDtype), ("--gradient-dtype", gradientDtype, usual.gradientDtype),
        ] where value != usual {
            throw InvalidSetting("\(option) \(value) has no effect here: it is for programs that train a language model; remove it")
        }
    }

    /// Checks that no format of frozen or trained weights is given, for programs that hold no weights of a language model.
    /// - Throws: `InvalidSetting`.
    package func refuseWeightFormats() throws {
        try refuseTrainedFormats()
        guard frozenFormat != .f32 else { return }
        throw InvalidSetting(
            "--frozen-dtype \(frozenDtype) has no effect here: it is for programs that train or sample a language model; remove it")
    }

    /// The folder that contains the run folders.
    var folder: URL { URL(fileURLWithPath: outputDir, isDirectory: true) }

    /// The path of a run folder as the settings name it: relative if `outputDir` is. A folder elsewhere keeps its full path.
    package func path(of run: URL) -> String {
        guard run.deletingLastPathComponent().standardizedFileURL.path == folder.standardizedFileURL.path else { return run.path }
        return outputDir + (outputDir.hasSuffix("/") ? "" : "/") + run.lastPathComponent
    }

    /// Calls `body` with the number of threads and the precision of these settings.
    func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Compute.$threads.withValue(threads ?? Compute.threads) {
            try Compute.$precision.withValue(Compute.Precision(rawValue: dtype) ?? .f32, operation: body)
        }
    }
}
