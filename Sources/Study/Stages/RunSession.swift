import Data
import Eval
import Formats
package import Foundation
import Models
package import Runs
import Train

/// The common parts of every stage: the run folder, the sinks, checkpoints and the time that the work took.
package final class RunSession {
    let folder: SharedRunFolder
    /// The folder of runs that are named by their ID.
    private let runs: URL
    /// The run folder as the settings name it, relative if they do.
    private let namedPath: String
    let sinks: MetricSinks
    private let trackers: [TrackerGuard]
    private let environment: StageEnvironment
    private let start = ContinuousClock.now
    let checkpointLimit: Int?
    /// Seconds between two checkpoints if no interval in steps is given; nil for none.
    private let checkpointSeconds: Double?
    /// Whether checkpoints are written at intervals.
    let writesCheckpoints: Bool
    /// The space that the run needs on its disk; nil until ``checkDisk(for:optimizer:_:isMerged:)``.
    var diskPlan: DiskPlan?
    private var lastCheckpoint = SteadyClock.now()
    /// The number of steps done at the newest checkpoint.
    private(set) var savedStep: Int?

    /// Settings that the processes of a run may have separately.
    private static let mayDiffer: Set<String> = ["threads", "memory_limit"]

    /// Settings that do not affect the computation of a step. A run may be resumed with other values of these.
    package static let mayChange: Set<String> = [
        "threads", "profile", "apply_in_backward", "checkpoint_limit", "checkpoint_minutes", "skip_bad_batches", "memory_limit", "resume",
        "config", "output_dir", "run_id", "save_dtype", "max_shard_size", "save_format", "gguf_type", "adapter_base",
        "tensorboard", "metrics_csv", "log_samples", "mlflow_uri", "mlflow_experiment", "mlflow_token_variable",
    ]

    /// Opens the run folder of a stage.
    /// - Parameter checkpointSteps: the interval of checkpoints in steps, if the settings give one.
    convenience init(_ stage: some Stage, in folder: URL, _ environment: StageEnvironment, checkpointSteps: Int? = nil) throws {
        var configuration = RunConfiguration(stage: type(of: stage).kind, program: type(of: stage).program, options: try stage.values)
        if case .string(let name)? = configuration.options["model_name"],
            URL(fileURLWithPath: name, isDirectory: true).standardizedFileURL == folder.standardizedFileURL
        {
            throw InvalidSetting(
                "--model-name \(name) is the folder of this run, whose result would replace it; name another with --run-id")
        }
        do {
            let files = try [
                DataSettings.templateFiles(of: configuration.options), NamedTable.files(of: configuration.options, in: stage.run.folder),
            ].compactMap { $0 }
            configuration.files = files.isEmpty ? nil : files.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        } catch {
            // the files of a complete run may be gone
            guard (try? RunFolder.isFinished(folder)) == true else { throw error }
        }
        try self.init(
            configuration, stage.run, known: type(of: stage).names, defaults: type(of: stage).init().values,
            tracking: (stage as? any TrackedStage).map { ($0.tracking, type(of: $0).loggedTables) }, in: folder, environment,
            checkpointSteps: checkpointSteps)
    }

    /// Opens a run folder with a configuration.
    /// - Parameters:
    ///   - known: the names of all settings. Other names in the folder's configuration come from another version.
    ///   - defaults: the default values, which are not reported. If empty, all values are reported.
    ///   - tracking: the tracking settings, and the tables whose texts are displayed; nil for the sinks of the environment alone.
    package init(
        _ configuration: RunConfiguration, _ run: RunSettings, known: [String], defaults: [String: OptionValue] = [:],
        tracking: (settings: TrackingSettings, logged: LoggedTables?)? = nil, in url: URL, _ environment: StageEnvironment,
        checkpointSteps: Int? = nil
    ) throws {
        self.environment = environment
        runs = run.folder
        namedPath = run.path(of: url)
        let collective = environment.collective
        if collective.size > 1, configuration.options["apply_in_backward"] == .bool(true) {
            throw InvalidSetting(
                "--apply-in-backward true needs one process: the \(collective.size) processes add their gradients before weights are "
                    + "updated; remove it, or run without mpirun")
        }
        let heard = collective.rank == 0 ? environment.sinks : []
        let early = MetricSinks(heard)
        let folder = try SharedRunFolder(at: url, configuration, among: collective, mayDiffer: Self.mayDiffer) {
            try RunFolder(
                at: url, configuration: configuration, resume: ResumePolicy(rawValue: run.resume) ?? .allow,
                mayChange: Self.mayChange, known: Set(known), defaults: defaults, note: early.say)
        }
        checkpointSeconds = checkpointSteps == nil && run.checkpointMinutes > 0 ? run.checkpointMinutes * 60 : nil
        writesCheckpoints = checkpointSteps != nil || checkpointSeconds != nil
        // automatic checkpoints must not fill the disk
        checkpointLimit = run.checkpointLimit ?? (checkpointSteps == nil ? 2 : nil)
        self.folder = folder
        var trackers: [any MetricSink] = []
        if let tracking, let own = folder.own {
            trackers = try Trackers.sinks(tracking.settings, own, environment, logged: tracking.logged, note: early.say)
        }
        self.trackers = trackers.compactMap { $0 as? TrackerGuard }
        sinks = MetricSinks(run: folder.own, heard + trackers)
        guard try !folder.isFinished else { return }
        let list = configuration.options.sorted { $0.key < $1.key }.filter { defaults[$0.key] != $0.value }
            .map { "\($0.key)=\($0.value.shown)" }
        say(
            "options\(defaults.isEmpty ? "" : " other than the defaults"): "
                + (list.isEmpty ? "none" : list.joined(separator: " ")))
    }

    deinit {
        environment.waitsForStep(false)
        folder.discardIfNothingWasDone()
    }

    /// The seconds since the session started.
    var seconds: Double { start.duration(to: .now) / .seconds(1) }

    func say(_ text: String) { sinks.say(text) }

    /// The processes that run the stage.
    var collective: any Collective { folder.collective }
    /// The number of them on this machine.
    var ranksOnMachine: Int { environment.ranksOnMachine }

    /// Reports an event. If that fails on one rank, it is an error of all, so that exchanges may follow.
    func report(_ event: TrainingEvent) throws { try collective.together { try sinks.handle(event) } }

    /// Does a part of the stage that is not a step, and reports its progress; see `Collective.reporting`.
    func part<Result>(_ name: String, _ total: Int, unit: String, _ work: (PartProgressHandler) throws -> Result) throws -> Result {
        try collective.reporting(name, total, unit: unit, to: sinks.handler, work)
    }

    /// Tells how many processes train, and if some of them have nothing to do because they are more than the examples of a batch.
    func sayRanks(batchSize: Int) {
        guard collective.size > 1 else { return }
        say(
            "\(collective.size) processes train together"
                + (collective.size > batchSize
                    ? "; a batch has \(Counted(batchSize, "example")), so at least "
                        + "\(Self.idle(collective.size - batchSize)) nothing to do in a step; start fewer, or use a larger batch" : ""))
    }

    /// Reports how many bytes the processes have sent to each other per step.
    func sayTraffic(_ traffic: StepTraffic) throws {
        guard collective.size > 1, traffic.steps > 0 else { return }
        let bytes = try traffic.bytesPerStep(among: collective)
        say("\(Self.trafficText(bytes)), in \(Counted(traffic.steps, "step"))")
    }

    /// What each process sent per step: one number if all sent equally much, else the mean and the largest.
    package static func trafficText(_ bytes: [Double]) -> String {
        func shown(_ bytes: Double) -> String { String(format: "%.3f MB", bytes / 1e6) }
        let mean = shown(bytes.reduce(0, +) / Double(max(1, bytes.count)))
        let largest = shown(bytes.max() ?? 0)
        return mean == largest
            ? "each process sent \(mean) per step to the others"
            : "the processes sent \(mean) per step to the others (mean over processes; largest: \(largest))"
    }

    /// The subject and verb of a sentence on processes without work: "one of them has" or "2 of them have".
    package static func idle(_ count: Int) -> String { count == 1 ? "one of them has" : "\(count) of them have" }

    /// The keeper of the best model, if settings ask for one.
    private var best: BestModel?

    /// Keeps the model of the best evaluation, where settings ask for it; before ``restore()``.
    func keepBest(_ saving: SavingSettings, _ summary: RunSummary) throws -> BestModel? {
        let best = try BestModel(saving.keepBest, summary.figures, in: folder)
        if let best { sinks.add(best) }
        self.best = best
        return best
    }

    /// Restores the newest checkpoint. Metrics and tables are truncated to its step.
    func restore() throws -> Checkpoint? {
        let checkpoint = try folder.restore(note: { say($0) })
        savedStep = checkpoint?.step
        try collective.together { try sinks.cutBack(to: checkpoint?.step ?? 0) }
        if let checkpoint { try best?.check(against: checkpoint.url) }
        if let checkpoint { say("resuming from step \(checkpoint.step) (\(checkpoint.url.path))") }
        return checkpoint
    }

    /// Whether the caller asks the run to stop.
    func shouldStop() -> Bool { environment.shouldStop() }

    /// Whether the caller of any rank asks the run to stop; the same on all ranks, which all call it.
    func anyShouldStop() throws -> Bool { try collective.any([shouldStop()])[0] }

    /// Announces that steps are running; a stop should wait for the end of a step. Called before the first step of a session, so that
    /// a stop during that step keeps it too.
    func beginSteps() { environment.waitsForStep(true) }

    /// Whether a checkpoint is due, besides those at an interval of steps: because it was requested, or because the last one was
    /// `checkpointMinutes` ago and there is no interval of steps. The time of a checkpoint does not affect results.
    func checkpointIsDue() -> Bool {
        let isAsked = environment.takeCheckpointRequest()
        return isAsked || checkpointSeconds.map { SteadyClock.now() - lastCheckpoint >= $0 } ?? false
    }

    /// Drops a request for a checkpoint, because one has just been written.
    func forgetCheckpointRequest() { _ = environment.takeCheckpointRequest() }

    /// The decoder families that model folders may hold.
    var families: [ModelFamily] { environment.families }

    /// The reward models that were loaded to score responses.
    private(set) var judges: [any TransformerDecoder] = []

    /// Registers a reward model that scores responses, so that its weights are counted, and held in the format of frozen weights.
    func use(judge: RewardModel) { judges.append(judge.decoder) }

    /// The caller's reward function, which replaces that of the settings.
    var reward: (any RewardFunction)? { environment.reward }

    /// The data set: the caller's, or the one that the settings name.
    func corpus(_ data: DataSettings, _ wanted: [String]) throws -> SummaryCorpus {
        guard let own = environment.corpus else { return try data.corpus(wanted, runs: runs, note: say) }
        let corpus = try own.selecting(data.selection())
        say("\(corpus.name): \(corpus.counts.replacingOccurrences(of: "\n", with: ", "))")
        return corpus
    }

    /// Writes a checkpoint: the model in `model/` and the trainer's state. All ranks call it with their snapshots.
    func checkpoint(_ snapshot: TrainerSnapshot, model: (URL) throws -> Void) throws {
        try checkpoint(step: snapshot.step) { url in
            try model(url.appendingPathComponent("model", isDirectory: true))
            try snapshot.write(to: url)
            try best?.write(to: url)
        }
    }

    /// Writes a checkpoint with any content.
    func checkpoint(step: Int, contents: (URL) throws -> Void) throws {
        // only on rank 0, before it writes: another rank might already see less free space because of this checkpoint
        try collective.together { if folder.isFirst { try checkDiskForCheckpoint() } }
        try folder.writeCheckpoint(step: step, limit: checkpointLimit, contents: contents)
        lastCheckpoint = SteadyClock.now()
        savedStep = step
    }

    /// Writes a checkpoint without content on rank 0, without an exchange: for a handler of events, which only rank 0 calls.
    func checkpointOfFirst(step: Int) throws {
        try folder.own?.writeCheckpoint(step: step, limit: checkpointLimit) { _ in }
    }

    /// Marks the end of the steps, or ends the stage if a stop was requested.
    /// - Parameters:
    ///   - complete: whether all steps are done.
    ///   - step: the number of steps done.
    ///   - traffic: what the steps have sent to other processes. Default: nothing.
    ///   - saving: writes a checkpoint if long work follows the last step, so that only this work is repeated after a stop. nil
    ///     if only the result remains to be written.
    /// - Throws: `RunStopped` when the run was stopped.
    func leaveSteps(
        complete: Bool, step: Int, traffic: StepTraffic = StepTraffic(), saving: (() throws -> Void)?
    ) throws {
        try sayTraffic(traffic)
        if complete, let saving, savedStep != step { try saving() }
        environment.waitsForStep(false)
        guard try !complete || (saving != nil && anyShouldStop()) else { return }
        try folder.addSeconds(seconds)
        for tracker in trackers { tracker.stop() }
        throw RunStopped(step: step, path: folder.url.path)
    }

    /// Shows a table of results.
    package func show(_ text: String) {
        if folder.isFirst { environment.show(text) }
    }

    /// Reports that the run is already complete.
    /// - Throws: `InvalidSetting` when the settings ask for another storage format than that of the finished model.
    func sayFinished() throws {
        let earlier = try collective.broadcast { try RunConfiguration.read(inRun: folder.url)?.options ?? [:] }
        let (now, names, usual) = (folder.configuration.options, SavingSettings.names, try SavingSettings().values)
        if let name = names.sorted().first(where: { (earlier[$0] ?? usual[$0]) != (now[$0] ?? usual[$0]) }) {
            throw InvalidSetting(
                "\(folder.url.path) is complete, but its model has a different --\(name.replacingOccurrences(of: "_", with: "-")); "
                    + "choose another --run-id, or give the option its earlier value")
        }
        say("\(folder.url.path) is complete; nothing to do")
    }

    /// Logs the values and writes the result, for runs without steps.
    /// - Parameters:
    ///   - stage: the name of the stage in progress lines.
    ///   - values: the values for metrics.jsonl.
    package func finish(stage: String, values: [String: Double], writing: (URL) throws -> Void) throws {
        try report(.measured(step: 0, values: values))
        // the result is written last, because a run with a result counts as complete
        try folder.writeResult(contents: writing)
        try end(stage: stage)
    }

    /// Reports that the stage is done, its evaluation results, where its result is, and suggested next commands.
    func end(stage: String, _ summary: RunSummary = RunSummary()) throws {
        try sinks.handle(.ended(stage: stage, seconds: seconds))
        guard folder.isFirst else { return }
        let lines = summary.lines(try MetricsFile.read(inRun: folder.url), path: namedPath)
        for line in lines where !line.hasPrefix("next:") { say(line) }
        say("the result is in \(folder.finalFolder.path)")
        for line in lines where line.hasPrefix("next:") { say(line) }
    }

    /// Whether there is work to do. If the run is complete, this is reported; otherwise metrics and tables are reset, because
    /// such a run starts from the beginning.
    package func begins() throws -> Bool {
        guard try !folder.isFinished else {
            try sayFinished()
            return false
        }
        _ = try restore()
        return true
    }
}
