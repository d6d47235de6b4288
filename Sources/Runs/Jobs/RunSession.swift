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
    /// Seconds between two checkpoints where no interval of steps is given; nil for none.
    private let checkpointSeconds: Double?
    private var lastCheckpoint = SteadyClock.now()
    /// The steps done at the newest checkpoint.
    private var savedStep: Int?

    /// Options that do not change what a step computes: a run may go on with others.
    static let mayChange: Set<String> = [
        "threads", "checkpoint_limit", "checkpoint_minutes", "skip_bad_batches", "memory_limit", "resume", "config",
        "output_dir", "run_id", "save_dtype", "max_shard_size",
    ]

    /// Opens the run folder that the options name.
    /// - Parameter checkpointSteps: the interval of checkpoints, when the options give one.
    init(
        stage: RunStage, program: String, run: RunOptions, options: [String: OptionValue], checkpointSteps: Int? = nil
    ) throws {
        Signals.install()
        console = Console()
        let url = URL(fileURLWithPath: run.outputDir, isDirectory: true)
            .appendingPathComponent(run.runId ?? stage.rawValue, isDirectory: true)
        let console = self.console
        folder = try RunFolder(
            at: url, configuration: RunConfiguration(stage: stage, program: program, options: options),
            resume: ResumePolicy(rawValue: run.resume) ?? .allow,
            mayChange: Self.mayChange, note: { console.say($0) })
        checkpointSeconds = checkpointSteps == nil && run.checkpointMinutes > 0 ? run.checkpointMinutes * 60 : nil
        // what nobody asked for must not fill the disk
        checkpointLimit = run.checkpointLimit ?? (checkpointSteps == nil ? 2 : nil)
        sinks = EventSinks(console: console, run: folder)
        guard try !folder.isFinished else { return }
        let list = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.shown)" }
        say("options: \(list.joined(separator: " "))")
    }

    deinit {
        Signals.waitsForStep = false
        folder.discardIfNothingWasDone()
    }

    /// Seconds of this session so far.
    var seconds: Double { start.duration(to: .now) / .seconds(1) }

    func say(_ text: String) { console.say(text) }

    /// The newest checkpoint, with metrics and tables cut back to it.
    func restore() throws -> Checkpoint? {
        let checkpoint = try folder.restore(note: { console.say($0) })
        savedStep = checkpoint?.step
        if let checkpoint { say("going on from step \(checkpoint.step) (\(checkpoint.url.path))") }
        return checkpoint
    }

    /// Whether a checkpoint is wanted now besides those at an interval of steps: SIGUSR1 has come, or, where there is no such interval,
    /// the last one was `--checkpoint-minutes` ago. When it is written changes no result.
    func checkpointIsDue() -> Bool {
        // asked behind a step: from now on there is something to save
        Signals.waitsForStep = true
        let isAsked = Signals.takeCheckpointRequest()
        return isAsked || checkpointSeconds.map { SteadyClock.now() - lastCheckpoint >= $0 } ?? false
    }

    /// Writes a checkpoint: the model in `model/` and the trainer's state.
    func checkpoint(_ snapshot: TrainerSnapshot, model: (URL) throws -> Void) throws {
        try checkpoint(step: snapshot.step) { url in
            try model(url.appendingPathComponent("model", isDirectory: true))
            try snapshot.write(to: url)
        }
    }

    /// Writes a checkpoint of any content.
    func checkpoint(step: Int, contents: (URL) throws -> Void) throws {
        try folder.writeCheckpoint(step: step, limit: checkpointLimit, contents: contents)
        lastCheckpoint = SteadyClock.now()
        savedStep = step
    }

    /// Leaves the steps, or ends the program where a signal has asked for it.
    /// - Parameters:
    ///   - complete: whether all steps are done.
    ///   - saving: writes a checkpoint, when long work follows the last step: that is done again after a stop, the steps are not. nil
    ///     where only the result is left to be written.
    func leaveSteps(complete: Bool, step: Int, saving: (() throws -> Void)?) throws {
        if complete, let saving, savedStep != step { try saving() }
        Signals.waitsForStep = false
        guard !complete || (saving != nil && Signals.isStopRequested) else { return }
        try folder.addSeconds(seconds)
        throw StoppedBySignal(step: step, path: folder.url.path)
    }

    /// Says that the run is there already.
    func sayFinished() { say("\(folder.url.path) is complete; nothing to do") }
}
