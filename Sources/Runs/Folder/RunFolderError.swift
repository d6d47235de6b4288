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
            "\(path) is not a run folder (its config.json is not of a run); name a folder that one of the programs wrote"
        case .noConfiguration(let path):
            "\(path) is not a run folder (it has no config.json); name a folder that one of the programs wrote"
        case .foreignFolder(let path, let holds):
            "\(path) is not empty and holds no run (it has no config.json, but \(holds)); name another run with --run-id, or an empty folder"
        case .foreignPart(let path, let found, let expected):
            "\(path) is \(found); a run has \(expected) of its own there, so this folder is left alone; name another run, or put that right"
        case .wrongStage(let path, let found, let expected):
            "\(path) is a run of \(found); expected \(expected.map(\.description).joined(separator: " or "))"
        case .inUse(let path, let owner):
            "\(path) is in use by \(owner ?? "another process"); wait for it to end, or name another run"
        case .otherOptions(let path, let differences):
            "\(path) was begun with other options (\(differences.joined(separator: "; "))); "
                + "repeat the command as it was, or name another run with --run-id"
        case .alreadyExists(let path): "\(path) already holds a run; name another run, or allow it to resume"
        case .nothingToResume(let path): "\(path) holds no checkpoint to resume from; allow a new run, or name another"
        case .noValidCheckpoint(let path, let problem):
            "no checkpoint of \(path) is whole (newest: \(problem)); remove the folder to start again"
        case .shortened(let path, let bytes, let expected):
            "\(path) has \(bytes) bytes; \(expected) were there at the checkpoint; lines are missing"
        case .grown(let path, let bytes, let expected):
            "\(path) has \(bytes) bytes; \(expected) were there at the run's last checkpoint; lines were added behind them; "
                + "take those away, or put that file back from a copy"
        case .changedLines(let path, let bytes):
            "\(path) is damaged: its first \(bytes) bytes are not those that were there at the checkpoint; "
                + "put that file back from a copy, or remove the run's folder to start again"
        case .unfinished(let path): "\(path) has no final folder: the run did not end; repeat its command to finish it"
        case .unknownTable(let name, let path, let known):
            "\(path) has no table \"\(name)\"; it has \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        case .invalidName(let name):
            "\"\(name)\" cannot be a name: use letters, digits, \".\", \"_\" and \"-\", and begin with none of the last"
        case .takenName(let name): "a run writes \(name) itself, so no other folder of it can have that name; choose another"
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
        let own = ["final", "comparisons", "timing.json"]
        let names = [
            Checkpoints.folderName, Tables.folderName, RunConfiguration.fileName, MetricsFile.fileName,
        ]
        guard !(own + names).contains(name), !name.hasPrefix("predictions-") else { throw .takenName(name) }
    }
}
