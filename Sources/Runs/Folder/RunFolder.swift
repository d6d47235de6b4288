internal import Formats
public import Foundation

/// Whether a program resumes an existing run.
public enum ResumePolicy: String, Codable, CaseIterable, Sendable {
    /// Resume if there is a run to resume; otherwise start a new one.
    case allow
    /// Resume. It is an error if there is nothing to resume.
    case must
    /// Start a new run. It is an error if the folder already contains a run.
    case never
}

/// The folder of one run, locked by this process.
///
///     config.json            the configuration (`RunConfiguration`)
///     metrics.jsonl          metrics by step (`MetricsFile`)
///     tables/<name>.jsonl    prompts and responses (`Tables`)
///     checkpoints/step-N/    complete training states (`Checkpoints`)
///     final/                 the result; its presence marks the run as finished
///     timing.json            run time in seconds and peak memory over all sessions, and the machine of the last one
///     profile.json           time by operation and thread of the last session that was measured
///
/// Everything except metrics and tables is written atomically. Metrics and tables grow line by line; `restore` truncates them to
/// the checkpoint, so that the folder is in the state in which the checkpoint was written.
public final class RunFolder {
    /// The location of the run folder.
    public let url: URL
    /// The configuration of the run.
    public let configuration: RunConfiguration
    /// The metrics by step.
    public let metrics: MetricsFile
    /// The tables of prompts and responses.
    public let tables: Tables
    private let checkpoints: Checkpoints
    private let lock: RunLock
    /// Whether the folder contained no run before.
    private let isNew: Bool

    /// Opens a run folder for writing, creates it if necessary, and locks it.
    ///
    /// If the run has a checkpoint or a result, its options must not change, except those in `mayChange`. Otherwise it restarts
    /// with the new options.
    /// - Parameters:
    ///   - url: The run folder.
    ///   - configuration: The configuration of the run.
    ///   - resume: Whether to resume an existing run.
    ///   - mayChange: Options that do not affect what a step computes, such as the maximum number of checkpoints.
    ///   - known: All options of the program. Other options in the folder's configuration come from another version and are
    ///     ignored. With nil, no option is ignored.
    ///   - defaults: The default values of options. A run that was started before an option existed has its default value.
    ///   - note: Receives a one-line message about each difference that the user may not expect.
    /// - Throws: ``RunFolderError`` or `FileError`. Nothing has been written then, except that the folder may have been created.
    public init(
        at url: URL, configuration: RunConfiguration, resume: ResumePolicy = .allow, mayChange: Set<String> = [],
        known: Set<String>? = nil, defaults: [String: OptionValue] = [:],
        note: (String) -> Void = { _ in }
    ) throws {
        // Before anything is written: another kind of folder must not be modified.
        try Self.checkIsOwn(url)
        _ = try Self.configuration(at: url, expecting: [configuration.stage])
        if try resume == .must && !Self.hasProgress(url) { throw RunFolderError.nothingToResume(path: url.path) }
        try Folder.make(url)
        lock = try RunLock(url, program: configuration.program)
        self.url = url
        self.configuration = configuration
        for folder in [url, url.appendingPathComponent(Checkpoints.folderName)] { try LeftOvers.remove(in: folder) }
        var earlier = try Self.configuration(at: url, expecting: [configuration.stage])
        earlier?.options.merge(defaults) { own, _ in own }
        let mayChange =
            known.map { known in mayChange.union((earlier?.options.keys).map { Set($0).subtracting(known) } ?? []) } ?? mayChange
        if let earlier, try Self.hasProgress(url) {
            guard resume != .never else { throw RunFolderError.alreadyExists(path: url.path) }
            try Self.check(configuration, against: earlier, mayChange: mayChange, path: url.path, note: note)
        } else if let earlier, Self.differs(configuration, earlier, mayChange: mayChange) {
            // results such as simulated comparisons belong to the earlier options
            try Self.removeResults(of: earlier, in: url)
        }
        isNew = earlier == nil
        // the configuration of a finished run is not modified
        if try earlier != configuration && !(earlier != nil && Self.isFinished(url)) { try configuration.write(inRun: url) }
        metrics = try MetricsFile(inRun: url)
        tables = Tables(inRun: url)
        checkpoints = Checkpoints(inRun: url)
    }

    /// Removes what a new run has put into its folder, if that is only its configuration and empty files. A run that fails before
    /// it has produced anything thus leaves no folder that looks like a run.
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
        // the configuration is removed late, so that an interruption leaves a folder that is still recognised as a run
        for name in folders { rmdir(url.appendingPathComponent(name).path) }
        for name in [MetricsFile.fileName, RunConfiguration.fileName, RunLock.fileName] {
            unlink(url.appendingPathComponent(name).path)
        }
        rmdir(url.path)
    }

    // MARK: Checkpoints

    /// Restores the state of the newest valid checkpoint: truncates metrics and tables to their lengths at that checkpoint, or
    /// empties them if there is no checkpoint.
    /// - Parameter note: Receives a message about each damaged checkpoint that is skipped.
    /// - Returns: The checkpoint to load; nil to start from the beginning.
    /// - Throws: `RunFolderError.noValidCheckpoint`, `.shortened` or `.changedLines`; `FileError`. Metrics and tables are
    ///   unchanged then.
    public func restore(note: (String) -> Void = { _ in }) throws -> Checkpoint? {
        let checkpoint = try checkpoints.newestValid(note: note)
        let lengths = try checkpoint.map { try FileLengths.read(from: $0.url) } ?? FileLengths()
        // check all files before changing any
        try metrics.check(length: lengths.metrics, checksum: lengths.metricsChecksum)
        try tables.check(lengths.tables, checksums: lengths.tableChecksums ?? [:])
        try metrics.cut(to: lengths.metrics)
        try tables.cut(to: lengths.tables)
        return checkpoint
    }

    /// Writes a checkpoint atomically.
    /// - Parameters:
    ///   - step: The number of completed steps.
    ///   - limit: The maximum number of checkpoints to keep, at least 1; nil keeps all. The new checkpoint is always kept.
    ///   - contents: Writes the training state into the given folder.
    /// - Returns: The new checkpoint.
    /// - Throws: `FileError` or an error of `contents`; the earlier checkpoints are unchanged then.
    @discardableResult
    public func writeCheckpoint(step: Int, limit: Int? = nil, contents: (URL) throws -> Void) throws -> Checkpoint {
        // the lines must be on disk before the checkpoint records their length
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

    /// The folder of the result, which may not exist yet.
    public var finalFolder: URL { Self.finalFolder(inRun: url) }

    /// Whether the run has finished, that is, has a result.
    public var isFinished: Bool { get throws { try Self.isFinished(url) } }

    /// Writes the result, `final/`, or another folder of results, atomically and with checksums.
    /// - Throws: `RunFolderError.invalidName`; `FileError` or an error of `contents`; the folder is not written then.
    public func writeResult(_ name: String = "final", contents: (URL) throws -> Void) throws {
        try RunFolderError.checkName(name)
        try metrics.synchronise()
        try tables.synchronise()
        try FolderChecksums.writeFolder(url.appendingPathComponent(name, isDirectory: true), contents: contents)
    }

    /// Adds the seconds of a session to `timing.json` and records the machine and the peak memory of this process if it exceeds
    /// the recorded one.
    /// - Throws: `FileError`.
    public func addSeconds(_ seconds: Double) throws {
        // a damaged timing file is replaced; it must not stop a run
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
    /// Finds a run by its ID in a folder of runs, or by its path.
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

    /// The model folder for a path: `final/` if the path is a run folder, otherwise the path itself.
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

    /// The configuration of the run in a folder; nil if there is none.
    /// - Throws: `RunFolderError.notARunFolder`; `RunFolderError.wrongStage`.
    public static func configuration(at url: URL, expecting stages: [RunStage]) throws -> RunConfiguration? {
        guard let configuration = try RunConfiguration.read(inRun: url) else { return nil }
        guard stages.contains(configuration.stage) else {
            throw RunFolderError.wrongStage(path: url.path, found: configuration.stage, expected: stages)
        }
        return configuration
    }

    /// Whether the run in a folder has recorded its run time.
    /// - Throws: `FileError.unreadable`; `.damaged` if timing.json is invalid.
    package static func hasTiming(inRun url: URL) throws -> Bool { try Timing.read(inRun: url) != nil }

    /// Whether the run in a folder has finished.
    /// - Throws: `FileError.unreadable`.
    public static func isFinished(_ url: URL) throws -> Bool {
        try FileStatus.of(finalFolder(inRun: url).path, followingLinks: false)?.kind == .folder
    }

    /// The run time in seconds over all sessions of the run in a folder; 0 if no session has ended.
    /// - Throws: `FileError.unreadable`; `.damaged` if timing.json is invalid.
    public static func seconds(inRun url: URL) throws -> Double { try Timing.read(inRun: url)?.seconds ?? 0 }

    /// The peak memory in bytes over all sessions of the run in a folder; nil if it was not recorded.
    /// - Throws: `FileError.unreadable`; `.damaged` if timing.json is invalid.
    public static func peakMemory(inRun url: URL) throws -> Int? { try Timing.read(inRun: url)?.peakMemory }

    /// The machine of the last session of the run in a folder; nil if it was not recorded.
    /// - Throws: `FileError.unreadable`; `.damaged` if timing.json is invalid.
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

        /// Reads the file; nil if it does not exist.
        /// - Throws: `FileError.unreadable`; `.damaged` if it is invalid.
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
            else { throw FileError.damaged(path: path, problem: "expected the run time in \"seconds\"") }
            return timing
        }

        /// Reads the file; nil if it does not exist or is invalid.
        static func readIfSound(inRun url: URL) throws -> Timing? {
            do { return try read(inRun: url) } catch FileError.damaged { return nil }
        }
    }

    /// The folder of the result of the run in a folder, which may not exist yet.
    package static func finalFolder(inRun url: URL) -> URL { url.appendingPathComponent("final", isDirectory: true) }

    private static func hasProgress(_ url: URL) throws -> Bool {
        try isFinished(url) || !Checkpoints.list(inRun: url).isEmpty
    }

    private static func differs(_ new: RunConfiguration, _ earlier: RunConfiguration, mayChange: Set<String>) -> Bool {
        let (before, now) = without(mayChange, earlier, new)
        return !now.differences(from: before).isEmpty
    }

    /// Removes the folders of results that `writeResult` has written: those with names that the programs use or that an option
    /// specified. Other folders, and folders without checksums, are kept.
    private static func removeResults(of earlier: RunConfiguration, in url: URL) throws {
        let named = earlier.options.values.compactMap { value in if case .string(let name) = value { name } else { nil } }
        for name in try Folder.names(in: url.path)
        where ["final", "comparisons", bestName].contains(name) || name.hasPrefix("predictions-") || named.contains(name) {
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
            note("the run was started with \(name) \(version); it continues with \(new.versions[name] ?? "none")")
        }
    }
}
