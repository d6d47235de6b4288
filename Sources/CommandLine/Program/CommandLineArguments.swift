/// Brings every accepted spelling of a command line into the one that the options' parser takes.
///
/// Accepted for an option `freeze-layers`: `--freeze-layers 0.8`, `--freeze_layers=0.8`, `freeze_layers=0.8`, and a
/// line `freeze_layers: 0.8` in a file given by `--config`. Booleans may stand alone or have a value (`true`, `false`,
/// `1`, `0`, `yes`, `no`, `on`, `off`), and `--no-x` is `--x=false`. Lists are `a,b`, `[a,b]` or several words. `none`
/// and `null` take the value of an option that need not have one. The command line takes precedence over the file;
/// within one of them an option has one value, unless it is made to be repeated, and there is one file at most.
public struct CommandLineArguments: Equatable, Sendable {
    /// What the parser takes: `--name=value` only, each option once (except repeated ones), then words.
    public var words: [String] = []
    /// One line for each option that was accepted without meaning.
    public var notes: [String] = []
    /// The configuration file by canonical name of the options that have their value from it.
    var files: [String: String] = [:]

    /// Normalises the arguments of a program (without its name).
    /// - Parameters:
    ///   - program: Its name, for files that belong to one program.
    ///   - table: Its options.
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

    /// What is wrong with options, with the file of those that it names and that have their value from one.
    package func located(_ message: String) -> CommandLineError {
        let named = files.keys.sorted().filter { name in
            [name, name.replacing("-", with: "_")].contains { Self.names($0, in: message) }
        }
        guard let file = named.first.flatMap({ files[$0] }) else { return .invalid(message) }
        let options = named.map { "--" + $0 }.joined(separator: ", ")
        return .invalid("\(message) (\(options) \(named.count == 1 ? "is" : "are") set in \(file))")
    }

    /// Whether a message has `--name` in it, and not as the beginning of a longer name.
    private static func names(_ name: String, in message: String) -> Bool {
        message.ranges(of: "--" + name).contains { range in
            guard range.upperBound < message.endIndex else { return true }
            let next = message[range.upperBound]
            return !next.isLetter && !next.isNumber && next != "-" && next != "_"
        }
    }

    /// Whether the arguments ask for help, whatever else they say.
    static func asksForHelp(_ arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains { ["-h", "-help", "--help"].contains($0) }
    }
}
