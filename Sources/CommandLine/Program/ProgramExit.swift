public import Formats
import Report
public import Runs
public import Study

/// Exit statuses of the programs, following `sysexits.h`.
public enum ProgramExit: Int32, Sendable, CaseIterable {
    /// The program succeeded.
    case success = 0
    /// The command line, a setting or a configuration file is wrong, or there is not enough memory.
    case usage = 64
    /// The content of a file is invalid.
    case badData = 65
    /// A required file or folder is missing or cannot be read.
    case missingInput = 66
    /// An internal error: a defect in the program, the system or the hardware.
    case internalError = 70
    /// An output file or folder cannot be created, or its disk has too little free space.
    case cannotCreate = 73
    /// Reading or writing failed midway, for example because the disk is full; or an external process or service failed.
    case inputOutput = 74
    /// The run is not finished, without an error: the same command resumes it. This is the status of a run that was stopped by
    /// SIGINT, SIGTERM or SIGHUP, and of one whose folder is in use by another process.
    case tryAgain = 75
}

/// An error with an exit status.
public protocol ProgramExitProviding: Error {
    /// The exit status of the program.
    var programExit: ProgramExit { get }
}

extension FileError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .missing, .unreadable, .notAFile, .notAFolder: .missingInput
        case .cannotCreate, .cannotReplace: .cannotCreate
        case .cannotWrite, .noRoom: .inputOutput
        case .damaged: .badData
        }
    }
}

extension RunFolderError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .invalidName, .takenName, .unknownTable, .otherOptions, .alreadyExists, .wrongStage, .notARunFolder, .noConfiguration,
            .foreignFolder,
            .foreignPart:
            .usage
        case .inUse: .tryAgain
        case .nothingToResume, .unfinished, .notShared: .missingInput
        case .noValidCheckpoint, .shortened, .grown, .changedLines, .badLine: .badData
        }
    }
}

extension ResultError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .badData }
}

extension CommandLineError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit {
        switch self {
        case .unreadableConfiguration: .missingInput
        default: .usage
        }
    }
}

extension RunStopped: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .tryAgain }
}

extension InvalidSetting: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .usage }
}

extension DiskError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .cannotCreate }
}

extension MemoryError: ProgramExitProviding {
    /// The exit status of a program that ends with this error.
    public var programExit: ProgramExit { .usage }
}
