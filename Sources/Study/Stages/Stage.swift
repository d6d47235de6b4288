public import Foundation
public import Runs
import Tensor

/// A stage of a study: its settings, and the work that produces a run folder.
///
///     var stage = SFTStage()
///     stage.model.fromScratch = true
///     stage.training.maxSteps = 100
///     try stage.run(in: URL(fileURLWithPath: "runs/sft"))
///
/// Settings are grouped in Swift and flat in files: the JSON of a stage equals `options` in `config.json` of its run folder.
public protocol Stage: GroupedSettings {
    /// The kind of run that is recorded in the run folder.
    static var kind: RunStage { get }
    /// The name of the program that runs this stage, as recorded in `config.json`.
    static var program: String { get }
    /// Whether several processes can run the stage together (``StageEnvironment/collective``). Default: false.
    static var usesRanks: Bool { get }
    /// The settings of the run: seed, threads, precision, checkpoints.
    var run: RunSettings { get set }
    /// Does the work. `run(in:_:)` calls it with the number of threads and the precision of the settings.
    func work(in folder: URL, _ environment: StageEnvironment) throws
}

extension Stage {
    /// No.
    public static var usesRanks: Bool { false }

    /// Runs or resumes the stage. A folder that holds the same stage with the same settings is resumed from its newest
    /// checkpoint; a complete one is left unchanged.
    /// - Parameters:
    ///   - folder: the run folder; it is created if it does not exist.
    ///   - environment: sinks, stop requests, and replacements for what the settings name.
    /// - Returns: the completed run.
    /// - Throws: `InvalidSetting`; `RunStopped` after a checkpoint when the environment asked for a stop; `RunFolderError` for a
    ///   folder that holds another stage, or the same stage with other settings; `FileError`; errors of the libraries in use.
    @discardableResult
    public func run(in folder: URL, _ environment: StageEnvironment = StageEnvironment()) throws -> CompletedRun {
        try validate()
        guard Self.usesRanks || environment.collective.size == 1 else {
            throw InvalidSetting("\(Self.program) runs as one process; start it without mpirun or srun")
        }
        try run.computing { try run.profile ? profiledWork(in: folder, environment) : work(in: folder, environment) }
        return CompletedRun(folder)
    }

    /// Does the work and writes its profile, also if the work ends early. Work that computed nothing leaves the file as it is.
    private func profiledWork(in folder: URL, _ environment: StageEnvironment) throws {
        let profile = ComputeProfile()
        let outcome = Result { try Compute.$profile.withValue(profile) { try work(in: folder, environment) } }
        let report = profile.report
        if !report.operations.isEmpty, environment.collective.rank == 0 { try RunFolder.writeProfile(report, inRun: folder) }
        try outcome.get()
    }
}
