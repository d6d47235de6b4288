internal import Foundation

/// What can be wrong with a file of rows or numbers, or keeps it from being read. Each description is one line: what is wrong, where, what
/// was expected, what to do.
public enum FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file or folder that cannot be opened or read.
    case unreadable(path: String, reason: String)
    /// A program that was needed to read something and failed.
    case commandFailed(command: String, reason: String)
    /// A gzip file that is damaged, or has something else behind its end.
    case damagedArchive(path: String, reason: String)
    /// A row that breaks the format.
    case badRow(RowLocation, RowProblem)
    /// A file whose framing is broken, so that no further row can be found.
    case malformedFile(RowLocation, String)
    /// A file that is not of its format, or larger than any honest one.
    case badFile(path: String, reason: String)

    /// One line for people.
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

    /// The error of a file that cannot be opened.
    package init(_ error: FileError, reading path: String) {
        let reason =
            switch error {
            case .missing: SystemError(code: ENOENT).description
            case .unreadable(_, let reason): reason.description
            case .notAFile(_, let kind): "it is \(kind), a file was expected"
            default: error.description
            }
        self = .unreadable(path: path, reason: reason)
    }
}
