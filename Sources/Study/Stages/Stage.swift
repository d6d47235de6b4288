public import Foundation
public import Runs

/// A stage of a study: its settings, and the work that leaves a run folder.
///
///     var stage = SFTStage()
///     stage.model.fromScratch = true
///     stage.training.maxSteps = 100
///     try stage.run(in: URL(fileURLWithPath: "runs/sft"))
///
/// Settings are grouped in Swift and flat in files: the JSON of a stage is what `options` are in `config.json` of its run folder.
public protocol Stage: GroupedSettings {
    /// What the run folder says that the run is.
    static var kind: RunStage { get }
    /// The name of the program that runs such a stage, as it stands in `config.json`.
    static var program: String { get }
    /// How the run goes: seed, threads, precision, checkpoints.
    var run: RunSettings { get set }
    /// Does the work; `run(in:_:)` calls it with the processors and the precision that the settings ask for.
    func work(in folder: URL, _ environment: StageEnvironment) throws
}

extension Stage {
    /// Runs the stage, or goes on with it: a folder that holds the same stage with the same settings is gone on with from its newest
    /// checkpoint, and one that is complete is left as it is.
    /// - Parameters:
    ///   - folder: the run folder; it is made when it is absent.
    ///   - environment: who hears of the run, who may stop it, and what takes the place of what settings name.
    /// - Returns: what the run left.
    /// - Throws: `InvalidSetting`; `RunStopped` when the environment asked for an end, after a checkpoint; `RunFolderError` for a folder
    ///   that holds something else, or the same stage with other settings; `FileError`; what the libraries at work throw.
    @discardableResult
    public func run(in folder: URL, _ environment: StageEnvironment = StageEnvironment()) throws -> CompletedRun {
        try validate()
        try run.computing { try work(in: folder, environment) }
        return CompletedRun(folder)
    }
}
