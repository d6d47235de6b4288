/// Brings every accepted spelling of a command line into the one that the options' parser takes.
///
/// Accepted for an option `freeze-layers`: `--freeze-layers 0.8`, `--freeze_layers=0.8`, `freeze_layers=0.8`, and a
/// line `freeze_layers: 0.8` in a file given by `--config`. Booleans may stand alone or have a value (`true`, `false`,
/// `1`, `0`, `yes`, `no`, `on`, `off`), and `--no-x` is `--x=false`. Lists are `a,b`, `[a,b]` or several words. `none`
/// and `null` take the value of an option that need not have one. The command line counts more than files, and a later
/// file more than an earlier one; within one of them an option has one value, unless it is made to be repeated.
public struct CommandLineArguments: Equatable, Sendable {
    /// What the parser takes: `--name=value` only, each option once (except repeated ones), then words.
    public var words: [String] = []
    /// One line for each option that was accepted without meaning.
    public var notes: [String] = []

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

    /// Whether the arguments ask for help, whatever else they say.
    static func asksForHelp(_ arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains { ["-h", "-help", "--help"].contains($0) }
    }
}
