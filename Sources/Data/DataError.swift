import Formats

/// What can go wrong between sound files and a data set; what is wrong with a file itself is a `FormatError`. Each description is one
/// line: what is wrong, where, what was expected, what to do.
public enum DataError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file or folder that cannot be written.
    case unwritable(path: String, reason: String)
    /// A folder without a file for a split that is needed.
    case missingSplit(String, folder: String, found: [String])
    /// Two files that both could hold one split.
    case ambiguousSplit(String, files: [String])
    /// Parts of a split that is cut into several files and of which not all are there: the names of the first of them, without endings, and how
    /// many are missing.
    case missingShards(String, folder: String, names: [String], count: Int)
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
    /// A chat template that is wrong, missing, or does not fit a conversation; in words.
    case chat(String)

    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
        case .missingSplit(let split, let folder, let found):
            "\(folder) has no file for the split \"\(split)\" (expected \(split).jsonl, .json or .csv, also with .gz; "
                + "found \(DataError.list(found)))"
        case .ambiguousSplit(let split, let files):
            "more than one file holds the split \"\(split)\": \(DataError.list(files)); keep one of them"
        case .missingShards(let split, let folder, let names, let count):
            "\(folder) lacks \(count == 1 ? "a part" : "\(count) parts") of the split \"\(split)\": \(DataError.list(names))"
                + "\(count > names.count ? ", …" : ""); all parts must be there"
        case .unknownSplit(let split, let available):
            "there is no split \"\(split)\"; available: \(DataError.list(available))"
        case .emptySplit(let split, let reason): "the split \"\(split)\" is empty: \(reason)"
        case .invalidSetting(let what, let expected): "\(what); expected \(expected)"
        case .unsuitableTokenizer(let what): "the tokenizer does not fit: \(what)"
        case .invalidIndex(let path, let reason): "\(path) is no usable index: \(reason)"
        case .packageDescriptionsNotFetched(let command):
            "the English package descriptions are not on this machine; fetch them with: \(command)"
        case .chat(let what): what
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "nothing" : names.joined(separator: ", ")
    }
}
