import Formats
import Foundation

/// Everything that can go wrong between a file, flag or command and a data set. Each description is one line: what is
/// wrong, where, what was expected, what to do.
public enum DataError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file or folder that cannot be opened or read.
    case unreadable(path: String, reason: String)
    /// A file or folder that cannot be written.
    case unwritable(path: String, reason: String)
    /// A program that was needed to read something and failed.
    case commandFailed(command: String, reason: String)
    /// A gzip file that is damaged, or has something else behind its end.
    case damagedArchive(path: String, reason: String)
    /// A row that breaks the format.
    case badRow(RowLocation, RowProblem)
    /// A file whose framing is broken, so that no further row can be found.
    case malformedFile(RowLocation, String)
    /// A folder without a file for a split that is needed.
    case missingSplit(String, folder: String, found: [String])
    /// Two files that both could hold one split.
    case ambiguousSplit(String, files: [String])
    /// A split name that a corpus does not have.
    case unknownSplit(String, available: [String])
    /// A split that holds no example.
    case emptySplit(String, reason: String)
    /// A setting outside its range.
    case invalidSetting(String, expected: String)
    /// A tokenizer that lacks something that the caller needs.
    case unsuitableTokenizer(String)
    /// An index file that does not fit the data.
    case invalidIndex(path: String, reason: String)
    /// The English descriptions of the package archive were never fetched; `command` fetches them.
    case packageDescriptionsNotFetched(command: String)

    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
        case .commandFailed(let command, let reason): "`\(command)` failed: \(reason)"
        case .damagedArchive(let path, let reason): "\(path) is a damaged gzip file: \(reason)"
        case .badRow(let location, let problem): "\(location): \(problem)"
        case .malformedFile(let location, let what): "\(location): \(what)"
        case .missingSplit(let split, let folder, let found):
            "\(folder) has no file for the split \"\(split)\" (expected \(split).jsonl, .json or .csv, also with .gz; "
                + "found \(DataError.list(found)))"
        case .ambiguousSplit(let split, let files):
            "more than one file holds the split \"\(split)\": \(DataError.list(files)); keep one of them"
        case .unknownSplit(let split, let available):
            "there is no split \"\(split)\"; available: \(DataError.list(available))"
        case .emptySplit(let split, let reason): "the split \"\(split)\" is empty: \(reason)"
        case .invalidSetting(let what, let expected): "\(what); expected \(expected)"
        case .unsuitableTokenizer(let what): "the tokenizer does not fit: \(what)"
        case .invalidIndex(let path, let reason): "\(path) is no usable index: \(reason)"
        case .packageDescriptionsNotFetched(let command):
            "the English package descriptions are not on this machine; fetch them with: \(command)"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "nothing" : names.joined(separator: ", ")
    }
}

extension DataError {
    /// The error of a file that cannot be opened.
    init(_ error: FileError, reading path: String) {
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
