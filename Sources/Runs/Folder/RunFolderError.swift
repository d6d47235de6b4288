import Formats

/// An error concerning a run folder.
public enum RunFolderError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The folder does not contain a run.
    case notARunFolder(path: String)
    /// The folder does not contain a run: it has no configuration.
    case noConfiguration(path: String)
    /// The run's stage is not one that the program accepts.
    case wrongStage(path: String, found: RunStage, expected: [RunStage])
    /// The folder is not empty and does not contain a run.
    case foreignFolder(path: String, holds: String)
    /// A part of the run folder is a symbolic link or is not the kind of file that a run creates.
    case foreignPart(path: String, found: String, expected: String)
    /// Another process is using the folder.
    case inUse(path: String, owner: String?)
    /// Processes that share a run see another folder than the first process.
    case notShared(path: String, ranks: [Int])
    /// The run was started with other options.
    case otherOptions(path: String, differences: [String])
    /// The folder contains a run, but the caller requires a new one.
    case alreadyExists(path: String)
    /// There is no run to resume, but the caller requires one.
    case nothingToResume(path: String)
    /// All checkpoints of the run are damaged.
    case noValidCheckpoint(path: String, problem: String)
    /// An append-only file is shorter than it was at the checkpoint. Sizes are in bytes.
    case shortened(path: String, bytes: UInt64, expected: UInt64)
    /// A table of a finished run is longer than it was at the last checkpoint. Sizes are in bytes.
    case grown(path: String, bytes: UInt64, expected: UInt64)
    /// Lines that were written before the checkpoint have changed.
    case changedLines(path: String, bytes: UInt64)
    /// The run has no `final` folder yet, that is, has not finished.
    case unfinished(path: String)
    /// The run has no table with this name.
    case unknownTable(String, path: String, known: [String])
    /// The name is not valid for a run or table.
    case invalidName(String)
    /// The name for a folder of results is already used by the run for something else.
    case takenName(String)
    /// A line of a metrics file is invalid.
    case badLine(path: String, line: Int, problem: String)

    /// The error message, on one line.
    public var description: String {
        switch self {
        case .notARunFolder(let path):
            "\(path) is not a run folder (its config.json does not describe a run); pass a folder that one of the programs wrote"
        case .noConfiguration(let path):
            "\(path) is not a run folder (it has no config.json); pass a folder that one of the programs wrote"
        case .foreignFolder(let path, let holds):
            "\(path) is not empty and is not a run folder (no config.json, but \(holds)); set another --run-id, or use an empty folder"
        case .foreignPart(let path, let found, let expected):
            "\(path) is \(found), but a run needs \(expected) there; nothing in the folder was changed; remove it, or choose another run"
        case .wrongStage(let path, let found, let expected):
            "\(path) is a run of \(found); expected \(expected.map(\.description).joined(separator: " or "))"
        case .inUse(let path, let owner):
            "\(path) is in use by \(owner ?? "another process"); wait until it ends, or choose another run"
        case .notShared(let path, let ranks):
            "\(path) is not the same folder for all processes: \(Counted.form(ranks.count, "rank", "ranks")) "
                + "\(ranks.map(String.init).joined(separator: ", ")) \(Counted.form(ranks.count, "does", "do")) not see the files of rank 0; "
                + "set --output-dir to a folder that all machines share"
        case .otherOptions(let path, let differences):
            "\(path) was started with other options (\(differences.joined(separator: "; "))); "
                + "repeat the original command, or set another --run-id"
        case .alreadyExists(let path): "\(path) already contains a run; choose another run, or allow it to resume"
        case .nothingToResume(let path): "\(path) has no checkpoint to resume from; allow a new run, or choose another run"
        case .noValidCheckpoint(let path, let problem):
            "all checkpoints of \(path) are damaged (newest: \(problem)); remove the folder to start again"
        case .shortened(let path, let bytes, let expected):
            "\(path) has \(bytes) \(Counted.form(bytes, "byte", "bytes")), but had \(expected) at the checkpoint; lines are missing"
        case .grown(let path, let bytes, let expected):
            "\(path) has \(bytes) \(Counted.form(bytes, "byte", "bytes")), but had \(expected) at the last checkpoint; lines were added; "
                + "remove these lines, or restore the file"
        case .changedLines(let path, let bytes):
            "\(path) is damaged: its first \(bytes) \(Counted.form(bytes, "byte has", "bytes have")) changed since the checkpoint; "
                + "restore the file, or remove the run's folder to start again"
        case .unfinished(let path): "\(path) has no folder \"final\", because the run has not finished; repeat its command to finish it"
        case .unknownTable(let name, let path, let known):
            "\(path) has no table \"\(name)\"; it has \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        case .invalidName(let name):
            "\"\(name)\" is not a valid name: use letters, digits, \".\", \"_\" and \"-\", and do not begin with \".\" or \"-\""
        case .takenName(let name): "a run writes \(name) itself, so another folder cannot have this name; choose another name"
        case .badLine(let path, let line, let problem): "\(path):\(line): \(problem)"
        }
    }

    /// Checks that a name is a single plain path component.
    package static func checkName(_ name: String) throws(RunFolderError) {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x5f, 0x2d: true
            default: false
            }
        }
        guard allowed, !name.isEmpty, name.utf8.count <= 200, name.first != ".", name.first != "-" else {
            throw .invalidName(name)
        }
    }

    /// Checks that a name is valid for an additional folder of results and does not collide with the parts of a run folder.
    package static func checkResultName(_ name: String) throws(RunFolderError) {
        try checkName(name)
        let own = ["final", "comparisons", "timing.json", "profile.json"]
        let names = [
            Checkpoints.folderName, Tables.folderName, RunConfiguration.fileName, MetricsFile.fileName,
        ]
        guard !(own + names).contains(name), !name.hasPrefix("predictions-") else { throw .takenName(name) }
    }
}
