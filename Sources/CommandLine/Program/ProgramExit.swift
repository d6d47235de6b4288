public import Formats
public import Report
public import Runs
public import Study

/// How a program ends, after `sysexits.h`.
public enum ProgramExit: Int32, Sendable, CaseIterable {
    /// Done.
    case success = 0
    /// The command line or a configuration file is wrong.
    case usage = 64
    /// The content of a file is wrong.
    case badData = 65
    /// A file or folder that is needed is missing or cannot be read.
    case missingInput = 66
    /// Something that should not happen: a defect of the program or of what it runs on.
    case internalError = 70
    /// An output file or folder cannot be created.
    case cannotCreate = 73
    /// Reading or writing failed half-way, as on a full disk.
    case inputOutput = 74
    /// Not finished, and nothing is wrong: the same command, given again, goes on. So ends a run that SIGINT or
    /// SIGTERM asked to stop, and one that found its folder in use by another process.
    case tryAgain = 75
}

/// An error that knows how the program should end.
public protocol ProgramExitProviding: Error {
    /// How the program ends.
    var programExit: ProgramExit { get }
}

extension FileError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .missing, .unreadable, .notAFile, .notAFolder: .missingInput
        case .cannotCreate, .cannotReplace: .cannotCreate
        case .cannotWrite: .inputOutput
        case .damaged: .badData
        }
    }
}

extension RunFolderError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .invalidName, .takenName, .unknownTable, .otherOptions, .alreadyExists, .wrongStage, .notARunFolder, .noConfiguration,
            .foreignFolder,
            .foreignPart:
            .usage
        case .inUse: .tryAgain
        case .nothingToResume, .unfinished: .missingInput
        case .noValidCheckpoint, .shortened, .grown, .changedLines, .badLine: .badData
        }
    }
}

extension ResultError: ProgramExitProviding {
    public var programExit: ProgramExit { .badData }
}

extension CommandLineError: ProgramExitProviding {
    public var programExit: ProgramExit {
        switch self {
        case .unreadableConfiguration: .missingInput
        default: .usage
        }
    }
}

extension RunStopped: ProgramExitProviding {
    public var programExit: ProgramExit { .tryAgain }
}

extension InvalidSetting: ProgramExitProviding {
    public var programExit: ProgramExit { .usage }
}

extension MemoryError: ProgramExitProviding {
    public var programExit: ProgramExit { .usage }
}
