import Formats

/// An error in a data set or its settings. Problems of a file's format are a `FormatError` instead. Each description is
/// one line: what is wrong, where, what was expected, and what to do.
public enum DataError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file or folder cannot be written.
    case unwritable(path: String, reason: String)
    /// A folder has no file for a required split.
    case missingSplit(String, folder: String, found: [String])
    /// Several files could hold the same split.
    case ambiguousSplit(String, files: [String])
    /// Shards of a split are missing: the names of the first of them, without extensions, and how many are missing in
    /// total.
    case missingShards(String, folder: String, names: [String], count: Int)
    /// A corpus does not have the split.
    case unknownSplit(String, available: [String])
    /// A split has no examples.
    case emptySplit(String, reason: String)
    /// A setting is out of range.
    case invalidSetting(String, expected: String)
    /// The tokenizer lacks something that the caller needs.
    case unsuitableTokenizer(String)
    /// An index file does not fit the data.
    case invalidIndex(path: String, reason: String)
    /// The English descriptions of the package archive have not been fetched; `command` fetches them.
    case packageDescriptionsNotFetched(command: String)
    /// A chat template is invalid, missing, or does not fit a conversation; the value is the message.
    case chat(String)

    /// The message, on one line.
    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
        case .missingSplit(let split, let folder, let found):
            "\(folder) has no file for the split \"\(split)\" (expected \(split).jsonl, .json or .csv, optionally with .gz; "
                + "found \(DataError.list(found)))"
        case .ambiguousSplit(let split, let files):
            "several files hold the split \"\(split)\": \(DataError.list(files)); keep one of them"
        case .missingShards(let split, let folder, let names, let count):
            "\(folder) is missing \(count == 1 ? "a part" : "\(count) parts") of the split \"\(split)\": \(DataError.list(names))"
                + "\(count > names.count ? ", …" : ""); all parts are required"
        case .unknownSplit(let split, let available):
            "there is no split \"\(split)\"; available: \(DataError.list(available))"
        case .emptySplit(let split, let reason): "the split \"\(split)\" is empty: \(reason)"
        case .invalidSetting(let what, let expected): "\(what); expected \(expected)"
        case .unsuitableTokenizer(let what): "the tokenizer cannot be used: \(what)"
        case .invalidIndex(let path, let reason): "\(path) is not a valid index: \(reason)"
        case .packageDescriptionsNotFetched(let command):
            "the English package descriptions are not on this machine; fetch them with: \(command)"
        case .chat(let what): what
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "nothing" : names.joined(separator: ", ")
    }
}
