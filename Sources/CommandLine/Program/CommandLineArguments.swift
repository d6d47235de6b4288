import Formats

/// Converts the accepted spellings of a command line into the form that the argument parser requires.
///
/// Accepted for an option `freeze-layers`: `--freeze-layers 0.8`, `--freeze_layers=0.8`, `freeze_layers=0.8`, and a line
/// `freeze_layers: 0.8` in the file given by `--config`. A Boolean option can be given without a value or with one (`true`,
/// `false`, `1`, `0`, `yes`, `no`, `on`, `off`), and `--no-x` means `--x=false`. Lists are written as `a,b`, `[a,b]` or several
/// words. `none` and `null` clear an option whose value is optional. The command line takes precedence over the file. Within
/// one of them, an option can be given once, unless it is repeatable, and only one file can be given.
public struct CommandLineArguments: Equatable, Sendable {
    /// The arguments for the parser: only `--name=value`, each option once (except repeated ones), then words.
    public var words: [String] = []
    /// One line for each option that was accepted and ignored.
    public var notes: [String] = []
    /// The configuration file of each option whose value comes from one, by canonical name.
    var files: [String: String] = [:]

    /// Normalises the arguments of a program, without the program's name.
    /// - Parameters:
    ///   - arguments: the arguments as the user gave them.
    ///   - program: the program's name, to check configuration files that belong to one program.
    ///   - table: the program's options.
    /// - Throws: `CommandLineError`.
    public static func normalise(
        _ arguments: [String], program: String, table: OptionTable
    ) throws(CommandLineError) -> CommandLineArguments {
        if asksForHelp(arguments) { return CommandLineArguments(words: ["--help"]) }
        for argument in arguments.prefix(while: { $0 != "--" }) {
            switch argument {
            case "--help-hidden", "--version": return CommandLineArguments(words: [argument])
            case _ where argument.hasPrefix("--generate-completion-script"), "--experimental-dump-help":
                return CommandLineArguments(words: arguments)
            default: break
            }
        }
        var normaliser = ArgumentNormaliser(program: program, table: table)
        try normaliser.read(arguments)
        return normaliser.result
    }

    /// An error about options, with the configuration file from which the options named in the message come.
    package func located(_ message: String) -> CommandLineError {
        let named = files.keys.sorted().filter { name in
            [name, name.replacing("-", with: "_")].contains { Self.names($0, in: message) }
        }
        guard let file = named.first.flatMap({ files[$0] }) else { return .invalid(message) }
        let options = named.map { "--" + $0 }.joined(separator: ", ")
        return .invalid("\(message) (\(options) \(Counted.form(named.count, "is", "are")) set in \(file))")
    }

    /// Whether a message contains `--name` as a whole name, not as the prefix of a longer one.
    private static func names(_ name: String, in message: String) -> Bool {
        message.ranges(of: "--" + name).contains { range in
            guard range.upperBound < message.endIndex else { return true }
            let next = message[range.upperBound]
            return !next.isLetter && !next.isNumber && next != "-" && next != "_"
        }
    }

    /// Whether the arguments ask for help, which takes precedence over all other options.
    static func asksForHelp(_ arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains { ["-h", "-help", "--help"].contains($0) }
    }
}
