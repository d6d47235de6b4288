import ArgumentParser
internal import Foundation

/// Writes a configuration file that contains every option of a command, with its help as a comment and its value.
///
/// The options and their help come from the argument parser's description of the command, as printed by
/// `--experimental-dump-help`.
package enum ConfigurationTemplate {
    /// The argument parser's description of one option.
    private struct Argument: Decodable {
        struct Name: Decodable { var name: String }
        var abstract: String?
        var discussion: String?
        var defaultValue: String?
        var isOptional: Bool
        var kind: String
        var preferredName: Name?
        var sectionTitle: String?
        var shouldDisplay: Bool
    }

    private struct Description: Decodable {
        struct Command: Decodable { var arguments: [Argument]? }
        var command: Command
    }

    /// The maximum width of a comment line, in columns.
    private static let width = 100

    /// Whether the options of a template are being checked. Required settings may then be missing.
    @TaskLocal static var isBeingWritten = false

    /// The content of the file.
    /// - Parameters:
    ///   - command: the command.
    ///   - name: the name of the command as a user types it.
    ///   - arguments: the normalised arguments that the user gave; they replace the defaults.
    /// - Throws: `CommandLineError` for a value that the command would reject. Missing required options are allowed.
    package static func text(of command: any ProgramCommand.Type, name: String, given arguments: CommandLineArguments) throws -> String {
        let options = try description(of: command)
        let required = options.filter { !$0.isOptional && $0.defaultValue == nil }.compactMap { $0.preferredName?.name }
        try check(arguments, of: command, required: Set(required))
        let table = command.optionTable
        var values: [String: [String]] = [:]
        for word in arguments.words where word.hasPrefix("--") {
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            values[parts[0], default: []].append(parts.count == 2 ? parts[1] : "true")
        }
        var text = "# Options of \(name), for use with --config. Options on the command line take precedence.\n"
        var section: String?
        for argument in options {
            guard let option = argument.preferredName?.name, let entry = table.entries[option], option != "config", argument.shouldDisplay
            else { continue }
            if let title = argument.sectionTitle, title != section {
                text += "\n# ---- \(title) ----\n"
                section = title
            }
            let help = [argument.abstract, argument.discussion].compactMap { $0 }.joined(separator: " ")
            text += "\n" + wrapped(help).map { "# \($0)\n" }.joined()
            let value = values[option] ?? argument.defaultValue.map { [$0] }
            guard let value else {
                text += "# \(option):" + (argument.isOptional ? "" : "    (required)") + "\n"
                continue
            }
            switch entry.kind {
            case .list: text += "\(option): [\(ListText.split(value[0]).map(scalar).joined(separator: ", "))]\n"
            case .repeated: text += "\(option): [\(value.map(scalar).joined(separator: ", "))]\n"
            case .boolean, .flag, .value: text += "\(option): \(scalar(value[0]))\n"
            }
        }
        return text
    }

    /// Validates each group of options separately. The combination of groups is checked when the file is used.
    /// - Parameter required: options without which the parser accepts nothing; a missing one is parsed with a placeholder as its value.
    private static func check(_ arguments: CommandLineArguments, of command: any ProgramCommand.Type, required: Set<String>) throws {
        do {
            _ = try command.parseAsRoot(arguments.words)
        } catch {
            let message = command.message(for: error)
            if message.contains(" is invalid for ") { throw arguments.located(message) }
        }
        for (group, names) in OptionTable.groups(of: command) {
            func name(_ word: String) -> String { String(word.dropFirst(2).prefix { $0 != "=" }) }
            var words = arguments.words.filter { $0.hasPrefix("--") && names.contains(name($0)) }
            guard !words.isEmpty else { continue }
            words += required.intersection(names).subtracting(words.map(name)).map { "--\($0)=placeholder" }
            let problem = $isBeingWritten.withValue(true) { Self.problem(with: words, of: group) }
            if let problem { throw arguments.located(problem) }
        }
    }

    private static func problem(with words: [String], of group: (some ParsableArguments).Type) -> String? {
        do {
            return OptionTable.absurdNumber(in: try group.parse(words))
        } catch {
            return group.message(for: error)
        }
    }

    private static func description(of command: any ProgramCommand.Type) throws -> [Argument] {
        func dumped(_ command: (some ProgramCommand).Type) -> String {
            do {
                _ = try command.parseAsRoot(["--experimental-dump-help"])
                return ""
            } catch {
                return command.fullMessage(for: error)
            }
        }
        let data = Data(dumped(command).utf8)
        return try JSONDecoder().decode(Description.self, from: data).command.arguments ?? []
    }

    /// Wraps a text into lines of at most ``width`` columns.
    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let last = lines.last, last.count + word.count < width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// A value as a YAML scalar. Strings that are ambiguous in YAML or contain special characters are quoted.
    static func scalar(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy(isOrdinary) && !["-", ".", "..."].contains(text)
        let isWord = ["null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased()) || text.hasPrefix("--")
        guard !isPlain || isWord else { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where isControl(scalar): result += String(format: "\\u%04X", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Whether a character is a letter, a digit or a mark without special meaning in YAML.
    private static func isOrdinary(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789/._-+".unicodeScalars.contains(scalar))
    }

    /// Whether a character must be escaped in YAML.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || [0x2028, 0x2029, 0xFEFF].contains(scalar.value)
    }
}
