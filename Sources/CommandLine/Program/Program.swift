internal import Eval
public import ArgumentParser
internal import Formats
internal import Foundation
public import Runs
internal import Study

/// A group of options with their alternative names and special cases.
public protocol ProgramOptions: ParsableArguments {
    /// Alternative names of options, mapped to the names of the properties, in any spelling.
    static var aliases: [String: String] { get }
    /// Options that can be given without a value, which is the same as omitting them.
    static var mayLackValue: Set<String> { get }
    /// For options that always have a value: the value that `none` stands for.
    static var valuesOfNone: [String: String] { get }
    /// Options that are accepted and ignored, in addition to `IgnoredOption.common`.
    static var ignored: [IgnoredOption] { get }
    /// The list option, in kebab-case, that receives words given without an option name; nil if there is none.
    static var optionOfWords: String? { get }
    /// The most used options, in kebab-case, which the help lists first.
    static var essentials: [String] { get }
}

extension ProgramOptions {
    /// None.
    public static var optionOfWords: String? { nil }
    /// None.
    public static var essentials: [String] { [] }
    /// None.
    public static var aliases: [String: String] { [:] }
    /// None.
    public static var valuesOfNone: [String: String] { [:] }
    /// None.
    public static var mayLackValue: Set<String> { [] }
    /// None.
    public static var ignored: [IgnoredOption] { [] }
}

/// A command of one of the programs.
///
/// Options are `@Option` properties. Boolean options are too (`@Option var doTrain = true`), because `--do-train=0` and
/// `--do-train` are both accepted. Lists have the type `ArgumentList`. Groups of options are `@OptionGroup(title:)`; a group
/// that conforms to `ProgramOptions` contributes its names. A property `config` (`@Option var config: String?`) enables
/// `--config file`.
public protocol ProgramCommand: ParsableCommand, ProgramOptions {
    /// The name of the program as stored in a run's `config.json`.
    static var programName: String { get }
    /// Whether mpirun may start several processes of the command that work together.
    static var usesRanks: Bool { get }
}

extension ProgramCommand {
    /// The options of the command.
    public static var optionTable: OptionTable { OptionTable(Self.self) }

    /// The name stored in a run's `config.json`. For a subcommand, the name of the program precedes it.
    public static var programName: String { _commandName }

    /// No.
    public static var usesRanks: Bool { false }

    /// The values of all options by snake_case name, for `RunConfiguration.options`.
    public var resolvedOptions: [String: OptionValue] { OptionTable.values(of: self) }

    /// Normalises and parses command-line arguments.
    /// - Parameters:
    ///   - arguments: the arguments as the user gave them, without the program's name.
    ///   - note: receives one line for each option that was accepted and ignored.
    /// - Throws: `CommandLineError`; the argument parser's `CleanExit` for `--help` and `--version`.
    public static func parse(
        normalising arguments: [String], note: (String) -> Void = { _ in }
    ) throws -> Self {
        try parsed(normalising: arguments, note: note).command
    }

    /// Normalises and parses command-line arguments, and returns the normalised arguments too. They record which values come
    /// from a configuration file.
    static func parsed(
        normalising arguments: [String], note: (String) -> Void
    ) throws -> (command: Self, arguments: CommandLineArguments) {
        let normalised = try CommandLineArguments.normalise(arguments, program: programName, table: optionTable)
        normalised.notes.forEach(note)
        do {
            let command = try parseAsRoot(normalised.words)
            // for help and completion scripts, the parser returns commands of its own
            guard let command = command as? Self else { throw CleanExit.helpRequest(self) }
            if let problem = OptionTable.absurdNumber(in: command) { throw normalised.located(problem) }
            return (command, normalised)
        } catch let error as CommandLineError {
            throw error
        } catch  where exitCode(for: error) != .success {
            throw normalised.located(optionTable.explained(message(for: error)))
        }
    }
}

extension ProgramCommand {
    /// Calls `parsed` for a command whose type is known only at run time.
    fileprivate static func parsedCommand(
        normalising arguments: [String], note: (String) -> Void
    ) throws -> (any ParsableCommand, CommandLineArguments) {
        let (command, arguments) = try parsed(normalising: arguments, note: note)
        return (command, arguments)
    }
}

extension ArgumentHelp {
    /// The help of a Boolean option.
    public static func yesNo(_ abstract: String) -> ArgumentHelp {
        ArgumentHelp(abstract, valueName: "true|false")
    }
}

/// Runs programs: it parses arguments, prints help, and reports errors as one line and an exit status.
public enum Program {
    /// The paragraph of every program's help on how options can be written.
    public static var spellings: String {
        """
        Options may be written --name value, --name=value or name=value, with - or _
        between words. --print-config writes all of them with their help as a file
        for --config.
        """
    }

    /// Runs a command with the arguments of the process, then ends the process.
    public static func main(_ command: (some ProgramCommand).Type) -> Never {
        main(command._commandName, usesRanks: command.usesRanks) {
            try run(command, Array(CommandLine.arguments.dropFirst()), name: command._commandName)
        }
    }

    /// Runs the subcommand named by the first argument, then ends the process.
    /// - Parameters:
    ///   - root: the root command, whose help is shown if no subcommand is named.
    ///   - commands: the subcommands.
    public static func main(_ root: any ParsableCommand.Type, _ commands: [any ProgramCommand.Type]) -> Never {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let program = root._commandName
        if arguments.first == "--version" {
            main(program) { print(ProgramVersion.text(program)) }
        }
        let asksForHelp = arguments.first == "help"
        if asksForHelp { arguments.removeFirst() }
        let command = arguments.first.flatMap { word in commands.first { $0._commandName == OptionTable.canonical(word) } }
        let name = command.map { "\(program) \($0._commandName)" } ?? program
        main(name, usesRanks: command?.usesRanks ?? false) {
            guard let command else { return try help(of: root, arguments, names: commands.map { $0._commandName }) }
            try run(command, asksForHelp ? ["--help"] : Array(arguments.dropFirst()), name: name, root: root)
        }
    }

    /// Prints the help of the root command, if the arguments name no subcommand.
    /// - Throws: `CommandLineError` for an unknown subcommand or option.
    private static func help(of root: any ParsableCommand.Type, _ arguments: [String], names: [String]) throws {
        if let word = arguments.first, !word.hasPrefix("-") {
            let nearest = NearestName.find(word, among: names).map { "; did you mean \($0)?" } ?? ""
            throw CommandLineError.invalid(
                "unknown command \(OneLine.quoted(word)); it takes \(names.joined(separator: ", "))\(nearest)")
        }
        do {
            if !arguments.isEmpty, !CommandLineArguments.asksForHelp(arguments) { _ = try root.parseAsRoot(arguments) }
            print(help(of: root, columns: HelpLines.terminalWidth()), terminator: "")
        } catch  where root.exitCode(for: error) == .success {
            print(root.fullMessage(for: error))
        } catch {
            throw CommandLineError.invalid(root.message(for: error))
        }
    }

    /// The help text of a command.
    /// - Parameters:
    ///   - command: the command.
    ///   - root: the root command, for a subcommand.
    ///   - isShort: whether to return only the overview, as `-h` prints it. It is at most 80 columns wide.
    ///   - columns: the width of the text, at least 40 columns. Default: that of the terminal.
    package static func help(
        of command: any ProgramCommand.Type, _ root: (any ParsableCommand.Type)? = nil, isShort: Bool = false, columns: Int? = nil
    ) -> String {
        let width = columns ?? HelpLines.terminalWidth()
        return HelpText.arranged(
            to: isShort ? min(width, HelpLines.written) : width, essentials: command.essentials, spellings: spellings, isShort: isShort
        ) { root?.helpMessage(for: command, columns: $0) ?? command.helpMessage(columns: $0) }
    }

    /// The help text of a root command: its overview and the list of its subcommands.
    /// - Parameter columns: the width of the text, at least 40 columns.
    package static func help(of root: any ParsableCommand.Type, columns: Int) -> String {
        HelpText.arranged(to: columns, essentials: []) { root.helpMessage(columns: $0) }
    }

    /// Parses the arguments of a command and runs it.
    private static func run(
        _ command: any ProgramCommand.Type, _ arguments: [String], name: String, root: (any ParsableCommand.Type)? = nil
    ) throws {
        // print help before parsing anything, so that it appears quickly
        guard !CommandLineArguments.asksForHelp(arguments) else {
            let asked = arguments.prefix { $0 != "--" }
            print(help(of: command, root, isShort: asked.contains("-h") && !asked.contains("--help")), terminator: "")
            return
        }
        guard !arguments.prefix(while: { $0 != "--" }).contains("--version") else {
            print(ProgramVersion.text(name))
            return
        }
        if let place = arguments.prefix(while: { $0 != "--" }).firstIndex(where: { ["--print-config", "--print_config"].contains($0) }) {
            var others = arguments
            others.remove(at: place)
            let given = try CommandLineArguments.normalise(others, program: command.programName, table: command.optionTable)
            print(try ConfigurationTemplate.text(of: command, name: name, given: given), terminator: "")
            return
        }
        var parsed: any ParsableCommand
        let normalised: CommandLineArguments
        do {
            (parsed, normalised) = try command.parsedCommand(normalising: arguments) { note in
                if LaunchedRanks.collective.rank == 0 { standardError("\(name): note: \(OneLine.message(note))\n") }
            }
        } catch  where command.exitCode(for: error) == .success {
            print(command.fullMessage(for: error))
            return
        }
        #if DEBUG
            if LaunchedRanks.collective.rank == 0 {
                standardError("\(name): note: this is a debug build, which is about nine times slower; build with -c release\n")
            }
        #endif
        do {
            try parsed.run()
        } catch CommandLineError.invalid(let message) {
            throw normalised.located(message)
        } catch let error as InvalidSetting {
            throw normalised.located(error.message)
        }
    }

    /// Runs a closure as the body of a program, then ends the process.
    /// - Parameters:
    ///   - name: the program's name, for error messages.
    ///   - usesRanks: whether mpirun may start several processes of the program that work together.
    ///   - body: the closure.
    public static func main(_ name: String, usesRanks: Bool = false, _ body: () throws -> Void) -> Never {
        StandardStreams.open()
        Signals.install()
        MemoryExhaustion.endsProgram(name)
        if let status = LaunchedRanks.run(name, usesRanks: usesRanks, environment: ProcessInfo.processInfo.environment, body) {
            fflush(nil)
            exit(status)
        }
        let status = run(name, errors: standardError) {
            try body()
            try StandardOutput.check()
        }
        fflush(nil)
        exit(status.rawValue)
    }

    /// Runs a closure, and reports an error as one line, `name: error: …`.
    package static func run(
        _ name: String, errors: (String) -> Void, _ body: () throws -> Void
    ) -> ProgramExit {
        Signals.ignore(SIGPIPE)
        // a write beyond the file size limit then fails with an error, like a write to a full disk
        Signals.ignore(SIGXFSZ)
        do {
            try body()
            return .success
        } catch let stop as RunStopped {
            errors("\(name): \(stop)\n")
            return stop.programExit
        } catch let stop as StoppedWaiting {
            errors("\(name): \(oneLine(stop))\n")
            return stop.programExit
        } catch {
            errors("\(name): error: \(oneLine(error))\n")
            return status(of: error)
        }
    }

    /// The exit status for an error.
    package static func status(of error: any Error) -> ProgramExit {
        switch error {
        case let error as any ProgramExitProviding: error.programExit
        case is DecodingError: .badData
        case let error as CocoaError:
            switch error.code {
            case .fileNoSuchFile, .fileReadNoSuchFile, .fileReadNoPermission, .fileReadUnknown: .missingInput
            case .fileReadCorruptFile, .fileReadInapplicableStringEncoding, .propertyListReadCorrupt: .badData
            case .fileWriteNoPermission, .fileWriteFileExists, .fileWriteVolumeReadOnly: .cannotCreate
            case .fileWriteOutOfSpace, .fileWriteUnknown: .inputOutput
            default: .internalError
            }
        default: .internalError
        }
    }

    private static func oneLine(_ error: any Error) -> String {
        OneLine.message(error is CocoaError ? error.localizedDescription : String(describing: error))
    }

    private static func standardError(_ text: String) {
        Terminal.write(text, to: STDERR_FILENO)
    }
}
