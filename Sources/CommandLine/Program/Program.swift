internal import Eval
public import ArgumentParser
internal import Formats
internal import Foundation
public import Runs
internal import Study

/// Options, and what else belongs to their names.
public protocol ProgramOptions: ParsableArguments {
    /// Other names of options → names of properties, in any spelling.
    static var aliases: [String: String] { get }
    /// Options that may stand without a value and then count as absent.
    static var mayLackValue: Set<String> { get }
    /// Options that always have a value → what `none` stands for in them.
    static var valuesOfNone: [String: String] { get }
    /// Options that are accepted and have no meaning, beside those that no program has a use for (`IgnoredOption.common`).
    static var ignored: [IgnoredOption] { get }
    /// The list that words without the name of an option are elements of, in kebab-case; nil where a program takes no such words.
    static var optionOfWords: String? { get }
    /// Options that help names first, in kebab-case: those that most people need.
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
/// Its options are `@Option` properties, Booleans included (`@Option var doTrain = true`), because options of Boolean
/// value are set by `--do-train=0` as well as by `--do-train`; lists are `ArgumentList`. Groups of options are
/// `@OptionGroup(title:)`; a group that is `ProgramOptions` brings its names along. A property `config` (`@Option var config: String?`) makes `--config file` work.
public protocol ProgramCommand: ParsableCommand, ProgramOptions {
    /// The name of the program, as config.json of a run has it.
    static var programName: String { get }
}

extension ProgramCommand {
    /// The options of the command.
    public static var optionTable: OptionTable { OptionTable(Self.self) }

    /// The name that config.json of a run has: of a command among several, the program's before it.
    public static var programName: String { _commandName }

    /// The values of all options by snake_case name, as `RunConfiguration.options` takes them.
    public var resolvedOptions: [String: OptionValue] { OptionTable.values(of: self) }

    /// Brings the arguments into normal form and parses them.
    /// - Parameter note: Receives one line for each option that was accepted without meaning.
    /// - Throws: `CommandLineError`; `CleanExit` of the argument parser for `--help` and `--version`.
    public static func parse(
        normalising arguments: [String], note: (String) -> Void = { _ in }
    ) throws -> Self {
        try parsed(normalising: arguments, note: note).command
    }

    /// The same, with the arguments in normal form, which know where options have their values from.
    static func parsed(
        normalising arguments: [String], note: (String) -> Void
    ) throws -> (command: Self, arguments: CommandLineArguments) {
        let normalised = try CommandLineArguments.normalise(arguments, program: programName, table: optionTable)
        normalised.notes.forEach(note)
        do {
            let command = try parseAsRoot(normalised.words)
            // Help and completion scripts come back as commands of the parser's own.
            guard let command = command as? Self else { throw CleanExit.helpRequest(self) }
            if let problem = OptionTable.absurdNumber(in: command) { throw normalised.located(problem) }
            return (command, normalised)
        } catch let error as CommandLineError {
            throw error
        } catch  where exitCode(for: error) != .success {
            throw normalised.located(message(for: error))
        }
    }
}

extension ProgramCommand {
    /// As `parsed`, of a command that is known at run time only.
    fileprivate static func parsedCommand(
        normalising arguments: [String], note: (String) -> Void
    ) throws -> (any ParsableCommand, CommandLineArguments) {
        let (command, arguments) = try parsed(normalising: arguments, note: note)
        return (command, arguments)
    }
}

extension ArgumentHelp {
    /// The help of an option of Boolean value.
    public static func yesNo(_ abstract: String) -> ArgumentHelp {
        ArgumentHelp(abstract, valueName: "true|false")
    }
}

/// The frame of a program: errors become one line and an exit status.
public enum Program {
    /// What every program's help says about the spelling of options.
    public static var spellings: String {
        """
        Options may be written --name value, --name=value or name=value, with - or _
        between words. --print-config writes all of them with their help as a file
        for --config.
        """
    }

    /// Runs a command with the arguments of the process, and ends the process.
    public static func main(_ command: (some ProgramCommand).Type) -> Never {
        main(command._commandName) {
            try run(command, Array(CommandLine.arguments.dropFirst()), name: command._commandName)
        }
    }

    /// Runs one of several commands, the one that the first argument names, and ends the process.
    /// - Parameter root: what `--help` shows where no command is named.
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
        main(name) {
            guard let command else { return try help(of: root, arguments, names: commands.map { $0._commandName }) }
            try run(command, asksForHelp ? ["--help"] : Array(arguments.dropFirst()), name: name, root: root)
        }
    }

    /// What is said where no command is named.
    private static func help(of root: any ParsableCommand.Type, _ arguments: [String], names: [String]) throws {
        if let word = arguments.first, !word.hasPrefix("-") {
            let nearest = NearestName.find(word, among: names).map { "; did you mean \($0)?" } ?? ""
            throw CommandLineError.invalid(
                "there is no command \(OneLine.quoted(word)); it takes \(names.joined(separator: ", "))\(nearest)")
        }
        do {
            _ = try root.parseAsRoot(arguments.isEmpty ? ["--help"] : arguments)
            print(HelpText.arranged(root.helpMessage(), essentials: []), terminator: "")
        } catch  where root.exitCode(for: error) == .success {
            print(HelpText.arranged(root.fullMessage(for: error), essentials: []), terminator: "")
        } catch {
            throw CommandLineError.invalid(root.message(for: error))
        }
    }

    /// The help of a command.
    /// - Parameter isShort: whether the part for newcomers stands alone, as `-h` shows it.
    package static func help(
        of command: any ProgramCommand.Type, _ root: (any ParsableCommand.Type)? = nil, isShort: Bool = false
    ) -> String {
        HelpText.arranged(
            root?.helpMessage(for: command) ?? command.helpMessage(), essentials: command.essentials, spellings: spellings, isShort: isShort
        )
    }

    /// Parses the arguments of a command and runs it.
    private static func run(
        _ command: any ProgramCommand.Type, _ arguments: [String], name: String, root: (any ParsableCommand.Type)? = nil
    ) throws {
        // Help is written without parsing anything: people wait for it.
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
                standardError("\(name): note: \(OneLine.message(note))\n")
            }
        } catch  where command.exitCode(for: error) == .success {
            print(command.fullMessage(for: error))
            return
        }
        #if DEBUG
            standardError("\(name): note: this is a debug build, which computes about nine times slower; build with -c release\n")
        #endif
        do {
            try parsed.run()
        } catch CommandLineError.invalid(let message) {
            throw normalised.located(message)
        } catch let error as InvalidSetting {
            throw normalised.located(error.message)
        }
    }

    /// Runs a body under the name of a program, and ends the process.
    public static func main(_ name: String, _ body: () throws -> Void) -> Never {
        Signals.install()
        MemoryExhaustion.endsProgram(name)
        let status = run(name, errors: standardError, body)
        fflush(nil)
        exit(status.rawValue)
    }

    /// Runs a body; an error is one line, `name: error: …`.
    package static func run(
        _ name: String, errors: (String) -> Void, _ body: () throws -> Void
    ) -> ProgramExit {
        Signals.ignore(SIGPIPE)
        // a file at the limit of its size is an error of the write, as a full disk is
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

    /// The exit status that an error stands for.
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
