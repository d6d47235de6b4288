import Foundation
import Models
import Train

/// The frame of every program: the run folder, the console, signals and the time that the work took.
final class RunSession {
    let folder: RunFolder
    let console: Console
    let sinks: EventSinks
    private let start = ContinuousClock.now
    private let checkpointLimit: Int?

    /// Opens the run folder that the options name.
    init(stage: RunStage, program: String, run: RunOptions, options: [String: OptionValue]) throws {
        Signals.install()
        console = Console()
        let url = URL(fileURLWithPath: run.outputDir, isDirectory: true)
            .appendingPathComponent(run.runId ?? stage.rawValue, isDirectory: true)
        let console = self.console
        folder = try RunFolder(
            at: url, configuration: RunConfiguration(stage: stage, program: program, options: options),
            resume: ResumePolicy(rawValue: run.resume) ?? .allow,
            mayChange: [
                "threads", "checkpoint_limit", "resume", "config", "output_dir", "run_id", "save_dtype",
                "max_shard_size",
            ],
            note: { console.say($0) })
        checkpointLimit = run.checkpointLimit
        sinks = EventSinks(console: console, run: folder)
    }

    deinit { folder.discardIfNothingWasDone() }

    /// Seconds of this session so far.
    var seconds: Double {
        let elapsed = start.duration(to: .now).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }

    func say(_ text: String) { console.say(text) }

    /// The newest checkpoint, with metrics and tables cut back to it.
    func restore() throws -> Checkpoint? {
        let checkpoint = try folder.restore(note: { console.say($0) })
        if let checkpoint { say("going on from step \(checkpoint.step) (\(checkpoint.url.path))") }
        return checkpoint
    }

    /// Writes a checkpoint: the model in `model/` and the trainer's state.
    func checkpoint(_ snapshot: TrainerSnapshot, model: (URL) throws -> Void) throws {
        try folder.writeCheckpoint(step: snapshot.step, limit: checkpointLimit) { url in
            try model(url.appendingPathComponent("model", isDirectory: true))
            try snapshot.write(to: url)
        }
    }

    /// Ends the program when a signal has asked for it and the run is not complete.
    func stopIfAsked(complete: Bool, step: Int) throws {
        guard !complete else { return }
        try folder.addSeconds(seconds)
        throw StoppedBySignal(step: step, path: folder.url.path)
    }

    /// Says that the run is there already.
    func sayFinished() { say("\(folder.url.path) is complete; nothing to do") }
}
