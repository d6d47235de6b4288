internal import Formats

/// An error in a command line or a configuration file.
public enum CommandLineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An unknown option name. `place` is the file that contains it, or nil for the command line.
    case unknownOption(String, nearest: String?, place: String?)
    /// An option that has moved to another program. `place` is the file that contains it, or nil for the command line.
    case movedOption(String, to: String, place: String?)
    /// An option without its required value.
    case missingValue(String)
    /// A value that is not a Boolean.
    case notBoolean(String, value: String)
    /// An option that was given twice, with its two spellings. `place` is the file, or nil for the command line.
    case repeatedOption(String, String, place: String?)
    /// A word that belongs to no option.
    case unexpectedWord(String)
    /// An error message of the argument parser or of the validation of settings.
    case invalid(String)
    /// A configuration file that cannot be read.
    case unreadableConfiguration(path: String, reason: String)
    /// A configuration file with invalid syntax or structure.
    case malformedConfiguration(path: String, problem: String)
    /// The configuration file of a run of another program.
    case otherProgram(path: String, found: String, expected: String)

    /// The error message on one line.
    public var description: String {
        // the parser's messages have several lines
        if case .invalid(let message) = self { return OneLine.message(message) }
        return OneLine.escaped(text)
    }

    /// A name for use in messages; white space is put in quotation marks to be visible.
    static func shown(_ name: String) -> String {
        name.allSatisfy(\.isWhitespace) ? OneLine.quoted(name) : name
    }

    private var text: String {
        switch self {
        case .unknownOption(let name, let nearest, let place):
            "unknown option \(Self.shown(name))\(place.map { " in \($0)" } ?? "")"
                + (nearest.map { "; did you mean \($0)?" } ?? "; --help lists all options")
        case .movedOption(let name, let program, let place):
            "\(Self.shown(name))\(place.map { " in \($0)" } ?? "") has moved to \(program); see \(program) --help"
        case .missingValue(let name): "\(name) needs a value"
        case .notBoolean(let name, let value): "\(name) is \"\(value)\"; expected true or false (or 1 or 0)"
        case .repeatedOption(let first, let second, let place):
            first == second
                ? "\(first) is given twice\(place.map { " in \($0)" } ?? ""); keep one of them"
                : "\(first) and \(second)\(place.map { " in \($0)" } ?? "") are the same option; keep one of them"
        case .unexpectedWord(let word):
            "unexpected word \"\(word)\"; options are written as --name value, --name=value or name=value"
        case .invalid(let message): message
        case .unreadableConfiguration(let path, let reason): "cannot read the configuration \(path): \(reason)"
        case .malformedConfiguration(let path, let problem): "\(path): \(problem)"
        case .otherProgram(let path, let found, let expected):
            "\(path) is the configuration of \(found), not of \(expected)"
        }
    }
}
