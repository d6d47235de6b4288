internal import Formats
public import Foundation

/// Whether a program goes on with a run that it finds.
public enum ResumePolicy: String, Codable, CaseIterable, Sendable {
    /// Go on when there is something to go on with, else begin.
    case allow
    /// Go on; an error when there is nothing.
    case must
    /// Begin; an error when the folder holds a run.
    case never
}

/// The folder of one run, held by this process alone.
///
///     config.json            what the run depends on (`RunConfiguration`)
///     metrics.jsonl          numbers by step (`MetricsFile`)
///     tables/<name>.jsonl    prompts and responses (`Tables`)
///     checkpoints/step-N/    complete states (`Checkpoints`)
///     final/                 the result; its presence says that the run ended
///     timing.json            seconds at work and peak memory, over all sessions, and the machine of the last
///
/// Everything but the two kinds of growing files appears under its name only when complete. The growing ones are cut
/// back to the checkpoint by `restore`, so that after it the folder is what it was when the checkpoint was written.
public final class RunFolder {
    /// The folder.
    public let url: URL
    /// What the run depends on.
    public let configuration: RunConfiguration
    /// Numbers by step.
    public let metrics: MetricsFile
    /// Prompts and responses.
    public let tables: Tables
    private let checkpoints: Checkpoints
    private let lock: RunLock
    /// Whether the folder held no run before.
    private let isNew: Bool

    /// Opens a run folder for writing, creating it when it is absent, and takes its lock.
    ///
    /// A run that has a checkpoint or a result belongs to its options: other ones are an error, but for those in
    /// `mayChange`. A run that has neither begins again with the options given.
    /// - Parameters:
    ///   - mayChange: Options that do not change what a step computes, such as the limit of checkpoints.
    ///   - known: All options that there are. Others in the folder are those of another version, and count no more; nil where none does.
    ///   - note: Receives one line for people where something differs from what they may expect.
    /// - Throws: `RunFolderError`, `FileError`. Nothing has been written then, except that the folder may exist.
    public init(
        at url: URL, configuration: RunConfiguration, resume: ResumePolicy = .allow, mayChange: Set<String> = [],
        known: Set<String>? = nil,
        note: (String) -> Void = { _ in }
    ) throws {
        // Before anything is written: a folder of another kind must stay as it is.
        try Self.checkIsOwn(url)
        _ = try Self.configuration(at: url, expecting: [configuration.stage])
        if try resume == .must && !Self.hasProgress(url) { throw RunFolderError.nothingToResume(path: url.path) }
        try Folder.make(url)
        lock = try RunLock(url, program: configuration.program)
        self.url = url
        self.configuration = configuration
        for folder in [url, url.appendingPathComponent(Checkpoints.folderName)] { try LeftOvers.remove(in: folder) }
        let earlier = try Self.configuration(at: url, expecting: [configuration.stage])
        let mayChange =
            known.map { known in mayChange.union((earlier?.options.keys).map { Set($0).subtracting(known) } ?? []) } ?? mayChange
        if let earlier, try Self.hasProgress(url) {
            guard resume != .never else { throw RunFolderError.alreadyExists(path: url.path) }
            try Self.check(configuration, against: earlier, mayChange: mayChange, path: url.path, note: note)
        } else if let earlier, Self.differs(configuration, earlier, mayChange: mayChange) {
            // what it made for itself, such as simulated comparisons, belongs to the other options
            try Self.removeResults(of: earlier, in: url)
        }
        isNew = earlier == nil
        // what is complete stays as it is
        if try earlier != configuration && !(earlier != nil && Self.isFinished(url)) { try configuration.write(inRun: url) }
        metrics = try MetricsFile(inRun: url)
        tables = Tables(inRun: url)
        checkpoints = Checkpoints(inRun: url)
    }

    /// Takes away what a new run has put into its folder while that is nothing but its options: a run that failed before it had
    /// anything to show leaves no folder that looks like one.
    public func discardIfNothingWasDone() {
        guard isNew, (try? metrics.length()) == 0 else { return }
        let files = [RunConfiguration.fileName, MetricsFile.fileName, RunLock.fileName]
        let folders = [Checkpoints.folderName, Tables.folderName]
        guard let names = try? Folder.names(in: url.path),
            names.allSatisfy({ (files + folders).contains($0) }),
            folders.allSatisfy({ name in
                let path = url.appendingPathComponent(name).path
                return (try? Folder.namesIfPresent(in: path) ?? [])?.isEmpty ?? false
            })
        else { return }
        // the options go late: what is left when this is interrupted is still known as a run's
        for name in folders { rmdir(url.appendingPathComponent(name).path) }
        for name in [MetricsFile.fileName, RunConfiguration.fileName, RunLock.fileName] {
            unlink(url.appendingPathComponent(name).path)
        }
        rmdir(url.path)
    }

    // MARK: Checkpoints

    /// Goes back to the newest whole checkpoint: metrics and tables are cut to what they were when it was written.
    /// Without any checkpoint they become empty.
    /// - Parameter note: Receives one line for each damaged checkpoint that is passed over.
    /// - Returns: The checkpoint to load, nil to begin.
    /// - Throws: `RunFolderError.noValidCheckpoint`, `.shortened` or `.changedLines`; `FileError`. Metrics and tables are untouched then.
    public func restore(note: (String) -> Void = { _ in }) throws -> Checkpoint? {
        let checkpoint = try checkpoints.newestValid(note: note)
        let lengths = try checkpoint.map { try FileLengths.read(from: $0.url) } ?? FileLengths()
        // all of them are looked at before any is changed
        try metrics.check(length: lengths.metrics, checksum: lengths.metricsChecksum)
        try tables.check(lengths.tables, checksums: lengths.tableChecksums ?? [:])
        try metrics.cut(to: lengths.metrics)
        try tables.cut(to: lengths.tables)
        return checkpoint
    }

    /// Writes a checkpoint.
    /// - Parameters:
    ///   - step: Steps done.
    ///   - limit: How many checkpoints to keep, at least 1; all when nil. The one just written always stays.
    ///   - contents: Writes the state into the folder that it is given.
    /// - Throws: `FileError`, or whatever `contents` throws; the earlier checkpoints are untouched then.
    @discardableResult
    public func writeCheckpoint(step: Int, limit: Int? = nil, contents: (URL) throws -> Void) throws -> Checkpoint {
        // The lines must be on the disk before a checkpoint says how many there are.
        try metrics.synchronise()
        try tables.synchronise()
        let lengths = try FileLengths(
            metrics: metrics.length(), tables: tables.lengths(), metricsChecksum: metrics.checksum(),
            tableChecksums: tables.checksums())
        let checkpoint = try checkpoints.write(step: step) { folder in
            try contents(folder)
            try lengths.write(to: folder)
        }
        if let limit { try checkpoints.removeOldest(keeping: limit, current: checkpoint) }
        return checkpoint
    }

    // MARK: Result

    /// Where the result is or will be.
    public var finalFolder: URL { Self.finalFolder(inRun: url) }

    /// Whether the run has ended.
    public var isFinished: Bool { get throws { try Self.isFinished(url) } }

    /// Writes the result, `final/`, or another folder of the run under a name of its own.
    /// - Throws: `FileError`, or whatever `contents` throws; nothing of the folder is there then.
    public func writeResult(_ name: String = "final", contents: (URL) throws -> Void) throws {
        try RunFolderError.checkName(name)
        try metrics.synchronise()
        try tables.synchronise()
        try FolderChecksums.writeFolder(url.appendingPathComponent(name, isDirectory: true), contents: contents)
    }

    /// Adds the seconds of a session to `timing.json`, and notes the machine, and the most memory that this process has had where that is more
    /// than before.
    /// - Throws: `FileError`.
    public func addSeconds(_ seconds: Double) throws {
        // what says nothing is begun anew: no run ends because of it
        let earlier = try Timing.readIfSound(inRun: url)
        let rounded = (((earlier?.seconds ?? 0) + seconds) * 1000).rounded() / 1000
        let peak = max(earlier?.peakMemory ?? 0, ProcessMemory.peak ?? 0)
        let memory = peak > 0 ? ", \"peak_memory\": \(peak)" : ""
        let machine = RunMachine.current
        let place = ", \"machine\": {\"cores\": \(machine.cores), \"processor\": \(MetricsFile.quoted(machine.processor))}"
        try AtomicFile.write("{\"seconds\": \(rounded)\(memory)\(place)}\n", to: url.appendingPathComponent(Timing.fileName))
    }
}

// MARK: - Reading runs of others

extension RunFolder {
    /// Finds a run by id below a folder of runs, or by path.
    /// - Throws: `FileError.missing`; `RunFolderError.notARunFolder`; `RunFolderError.wrongStage`.
    public static func locate(
        _ idOrPath: String, in runs: URL, expecting stages: [RunStage] = RunStage.allCases
    ) throws -> URL {
        let direct = URL(fileURLWithPath: idOrPath, isDirectory: true)
        let named = runs.appendingPathComponent(idOrPath, isDirectory: true)
        let isName = (try? RunFolderError.checkName(idOrPath)) != nil
        let url = try isName && FileStatus.of(named) != nil ? named : direct
        guard try FileStatus.of(url) != nil else {
            throw FileError.missing(path: isName ? named.path : idOrPath)
        }
        guard try configuration(at: url, expecting: stages) != nil else {
            throw RunFolderError.notARunFolder(path: url.path)
        }
        return url
    }

    /// The model folder that a path means: itself, or `final/` when it is a run folder.
    /// - Throws: `FileError.missing`; `RunFolderError.wrongStage`; `RunFolderError.unfinished`.
    public static func modelFolder(at url: URL, expecting stages: [RunStage]) throws -> URL {
        guard try FileStatus.of(url)?.kind == .folder else {
            throw FileError.missing(path: url.path)
        }
        do {
            guard try configuration(at: url, expecting: stages) != nil else { return url }
        } catch RunFolderError.notARunFolder {
            return url
        }
        guard try isFinished(url) else { throw RunFolderError.unfinished(path: url.path) }
        return finalFolder(inRun: url)
    }

    /// The configuration of the run in a folder, nil when there is none.
    /// - Throws: `RunFolderError.notARunFolder`; `RunFolderError.wrongStage`.
    public static func configuration(at url: URL, expecting stages: [RunStage]) throws -> RunConfiguration? {
        guard let configuration = try RunConfiguration.read(inRun: url) else { return nil }
        guard stages.contains(configuration.stage) else {
            throw RunFolderError.wrongStage(path: url.path, found: configuration.stage, expected: stages)
        }
        return configuration
    }

    /// Whether a session of the run in a folder has noted how long it was at work.
    /// - Throws: `FileError.unreadable`; `.damaged` where timing.json does not say.
    package static func hasTiming(inRun url: URL) throws -> Bool { try Timing.read(inRun: url) != nil }

    /// Whether the run in a folder has ended.
    /// - Throws: `FileError.unreadable`.
    public static func isFinished(_ url: URL) throws -> Bool {
        try FileStatus.of(finalFolder(inRun: url).path, followingLinks: false)?.kind == .folder
    }

    /// Seconds at work over all sessions of the run in a folder; 0 when none has ended.
    /// - Throws: `FileError.unreadable`; `.damaged` where timing.json does not say.
    public static func seconds(inRun url: URL) throws -> Double { try Timing.read(inRun: url)?.seconds ?? 0 }

    /// The most bytes of memory that a process at work on the run has had, over all sessions; nil where that was not noted.
    /// - Throws: `FileError.unreadable`; `.damaged` where timing.json does not say.
    public static func peakMemory(inRun url: URL) throws -> Int? { try Timing.read(inRun: url)?.peakMemory }

    /// The machine that a process was last at work on the run on; nil where that was not noted.
    /// - Throws: `FileError.unreadable`; `.damaged` where timing.json does not say.
    public static func machine(inRun url: URL) throws -> RunMachine? { try Timing.read(inRun: url)?.machine }

    private struct Timing: Codable {
        static var fileName: String { "timing.json" }
        var seconds: Double
        var peakMemory: Int?
        var machine: RunMachine?

        enum CodingKeys: String, CodingKey {
            case seconds, machine
            case peakMemory = "peak_memory"
        }

        /// What the file says; nil where there is none.
        /// - Throws: `FileError.unreadable`; `.damaged` for one that says nothing of the kind.
        static func read(inRun url: URL) throws -> Timing? {
            let path = url.appendingPathComponent(fileName).path
            let content: [UInt8]
            do {
                content = try Descriptor.content(of: path)
            } catch FileError.missing {
                return nil
            }
            guard let timing = try? JSONDecoder().decode(Timing.self, from: Foundation.Data(content)), timing.seconds.isFinite,
                timing.seconds >= 0, timing.peakMemory ?? 0 >= 0
            else { throw FileError.damaged(path: path, problem: "it does not say how long the run was at work") }
            return timing
        }

        /// The same; nil also for one that says nothing.
        static func readIfSound(inRun url: URL) throws -> Timing? {
            do { return try read(inRun: url) } catch FileError.damaged { return nil }
        }
    }

    private static func finalFolder(inRun url: URL) -> URL { url.appendingPathComponent("final", isDirectory: true) }

    private static func hasProgress(_ url: URL) throws -> Bool {
        try isFinished(url) || !Checkpoints.list(inRun: url).isEmpty
    }

    private static func differs(_ new: RunConfiguration, _ earlier: RunConfiguration, mayChange: Set<String>) -> Bool {
        let (before, now) = without(mayChange, earlier, new)
        return !now.differences(from: before).isEmpty
    }

    /// Removes the folders that `writeResult` has written: those with the names that the programs use, or that an option gave. What people
    /// have put there or called otherwise stays.
    private static func removeResults(of earlier: RunConfiguration, in url: URL) throws {
        let named = earlier.options.values.compactMap { value in if case .string(let name) = value { name } else { nil } }
        for name in try Folder.names(in: url.path)
        where ["final", "comparisons"].contains(name) || name.hasPrefix("predictions-") || named.contains(name) {
            let folder = url.appendingPathComponent(name, isDirectory: true)
            guard try FileStatus.of(folder.path, followingLinks: false)?.kind == .folder else { continue }
            let checksums = folder.appendingPathComponent(FolderChecksums.fileName)
            if try FileStatus.of(checksums.path, followingLinks: false)?.kind == .file { try AtomicFolder.remove(folder) }
        }
    }

    private static func without(
        _ names: Set<String>, _ earlier: RunConfiguration, _ new: RunConfiguration
    ) -> (earlier: RunConfiguration, new: RunConfiguration) {
        var (earlier, new) = (earlier, new)
        for name in names {
            earlier.options[name] = nil
            new.options[name] = nil
        }
        return (earlier, new)
    }

    private static func check(
        _ new: RunConfiguration, against earlier: RunConfiguration, mayChange: Set<String>, path: String,
        note: (String) -> Void
    ) throws {
        let (kept, now) = without(mayChange, earlier, new)
        let differences = now.differences(from: kept)
        guard differences.isEmpty else { throw RunFolderError.otherOptions(path: path, differences: differences) }
        for (name, version) in earlier.versions.sorted(by: { $0.key < $1.key }) where new.versions[name] != version {
            note("the run was begun with \(name) \(version), now \(new.versions[name] ?? "absent")")
        }
    }
}
