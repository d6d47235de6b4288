internal import Foundation

/// An error in a data file. Each description is one line that says what is wrong, where, what is expected, and what to do.
public enum FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file or folder cannot be opened or read.
    case unreadable(path: String, reason: String)
    /// A program that was needed to read the data failed.
    case commandFailed(command: String, reason: String)
    /// A gzip file is damaged, or is followed by other data.
    case damagedArchive(path: String, reason: String)
    /// A row violates the format.
    case badRow(RowLocation, RowProblem)
    /// The structure of a file is broken, so that no further row can be found.
    case malformedFile(RowLocation, String)
    /// A file does not have the expected format, or exceeds a size limit.
    case badFile(path: String, reason: String)

    /// The error message, on one line.
    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .commandFailed(let command, let reason): "`\(command)` failed: \(reason)"
        case .damagedArchive(let path, let reason): "\(path) is a damaged gzip file: \(reason)"
        case .badRow(let location, let problem): "\(location): \(problem)"
        case .malformedFile(let location, let what): "\(location): \(what)"
        case .badFile(let path, let reason): "\(path): \(reason)"
        }
    }

    /// The error for a file that cannot be opened.
    package init(_ error: FileError, reading path: String) {
        let reason =
            switch error {
            case .missing: SystemError(code: ENOENT).description
            case .unreadable(_, let reason): reason.description
            case .notAFile(_, let kind): "it is \(kind); expected a file"
            default: error.description
            }
        self = .unreadable(path: path, reason: reason)
    }
}
