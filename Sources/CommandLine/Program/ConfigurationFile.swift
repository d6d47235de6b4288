internal import Runs
internal import Formats
internal import Foundation

/// A file of options for `--config`: JSON if its name ends with `.json`, else YAML.
///
/// The keys are option names in any accepted spelling. For the `config.json` of a run folder, its `options` are used.
enum ConfigurationFile {
    /// One key with its values as text: none for null, one for a scalar, any number for a list.
    struct Setting: Equatable {
        var name: String
        var values: [String]
        var isList = false
        var isNull = false
    }

    /// The maximum size of a file, in bytes.
    static let sizeLimit = 1 << 22

    /// Reads the settings, in the order of the file for YAML and in alphabetical order for JSON.
    /// - Parameters:
    ///   - path: a file, or a run folder, whose `config.json` is read.
    ///   - program: the program's name; the `config.json` of another program is an error.
    /// - Throws: `CommandLineError`.
    static func read(_ path: String, program: String) throws(CommandLineError) -> [Setting] {
        let (file, content) = try content(of: path)
        guard var text = String(validating: content, as: UTF8.self) else {
            throw .malformedConfiguration(path: file, problem: "it is not UTF-8")
        }
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        let settings =
            file.lowercased().hasSuffix(".json")
            ? try JSONConfiguration(path: file, program: program).settings(content)
            : try YAMLConfiguration(path: file).settings(text)
        // operating system calls end a string at its first NUL
        for setting in settings where (setting.values + [setting.name]).contains(where: { $0.utf8.contains(0) }) {
            throw .malformedConfiguration(path: file, problem: "\(CommandLineError.shown(setting.name)): the value has a NUL character")
        }
        return settings
    }

    private static func content(of path: String) throws(CommandLineError) -> (file: String, content: [UInt8]) {
        var file = path
        do {
            if try FileStatus.of(path)?.kind == .folder { file = path + "/" + RunConfiguration.fileName }
            return (file, try Descriptor.content(of: file, limit: sizeLimit))
        } catch {
            switch error as? FileError {
            case .missing: throw .unreadableConfiguration(path: file, reason: "it does not exist")
            case .unreadable(_, let reason): throw .unreadableConfiguration(path: file, reason: reason.description)
            case .notAFile(_, let kind): throw .unreadableConfiguration(path: file, reason: "it is \(kind); expected a file")
            case .damaged(_, let problem): throw .malformedConfiguration(path: file, problem: "\(problem); expected a file of options")
            default: throw .unreadableConfiguration(path: file, reason: "\(error)")
            }
        }
    }
}

/// Parses options in JSON: one object, or the `config.json` of a run.
struct JSONConfiguration {
    let path: String
    let program: String

    private typealias Member = (name: String, value: Value)

    /// A JSON value; numbers and Booleans are stored as text, as a user would type them.
    private indirect enum Value {
        case null
        case string(String)
        case array([Value])
        case object([Member])
    }

    /// The settings, in alphabetical order.
    /// - Throws: `CommandLineError`.
    func settings(_ content: [UInt8]) throws(CommandLineError) -> [ConfigurationFile.Setting] {
        var scanner = JSONScanner(content, allowsMark: true)
        var path: [String] = []
        var members: [Member]
        do {
            guard scanner.peek() == UInt8(ascii: "{") else {
                try scanner.skipValue()
                throw CommandLineError.malformedConfiguration(path: self.path, problem: "expected one JSON object of options")
            }
            members = try Self.members(&scanner, &path)
            try scanner.end()
        } catch let error as CommandLineError {
            throw error
        } catch {
            throw malformed(error as? JSONError, in: path)
        }
        try checkRepeated(members)
        if case .object(let options)? = Self.value("options", members), case .string(let found)? = Self.value("program", members) {
            guard found == program else { throw .otherProgram(path: self.path, found: found, expected: program) }
            if let other = members.first(where: { !RunConfiguration.keys.contains($0.name) }) {
                throw .unknownOption(other.name, nearest: nil, place: self.path)
            }
            members = options
            try checkRepeated(members)
        }
        var settings: [ConfigurationFile.Setting] = []
        for (name, value) in members.sorted(by: { $0.name < $1.name }) { settings.append(try setting(name, value)) }
        return settings
    }

    private static func members(_ scanner: inout JSONScanner, _ path: inout [String]) throws -> [Member] {
        var members: [Member] = []
        try scanner.object(allowsRepeatedKeys: true) { name, scanner in
            path.append(name)
            members.append((name, try value(&scanner, &path)))
            path.removeLast()
        }
        return members
    }

    private static func value(_ scanner: inout JSONScanner, _ path: inout [String]) throws -> Value {
        switch scanner.peek() {
        case UInt8(ascii: "{"): return .object(try members(&scanner, &path))
        case UInt8(ascii: "["):
            var elements: [Value] = []
            try scanner.array { elements.append(try value(&$0, &path)) }
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try scanner.string())
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            let text = try scanner.numberText()
            // integers as written, including unsigned 64-bit ones
            if Int64(text) != nil || UInt64(text) != nil { return .string(text) }
            guard let number = Double(text), number.isFinite else {
                throw scanner.error("\(text.prefix(40)) is outside the range of 64-bit floating-point numbers")
            }
            return .string(Int64(exactly: number).map(String.init) ?? "\(number)")
        default: return try scanner.word().map { .string($0 ? "true" : "false") } ?? .null
        }
    }

    private func malformed(_ fault: JSONError?, in keys: [String]) -> CommandLineError {
        let key = keys.isEmpty ? "" : ", in \(OneLine.quoted(keys.joined(separator: ".")))"
        let place = fault.map { " (not JSON: \($0.reason), at line \($0.line), column \($0.column)\(key))" } ?? ""
        return .malformedConfiguration(path: path, problem: "expected one JSON object of options" + place)
    }

    /// Checks that no name is repeated. Different spellings of one name are detected later, when names are resolved.
    private func checkRepeated(_ members: [Member]) throws(CommandLineError) {
        var seen: Set<String> = []
        for member in members where !seen.insert(member.name).inserted {
            throw .repeatedOption(member.name, member.name, place: path)
        }
    }

    private static func value(_ name: String, _ members: [Member]) -> Value? { members.last { $0.name == name }?.value }

    private func setting(_ name: String, _ value: Value) throws(CommandLineError) -> ConfigurationFile.Setting {
        switch value {
        case .null: return ConfigurationFile.Setting(name: name, values: [], isNull: true)
        case .array(let elements):
            var values: [String] = []
            for element in elements {
                guard case .string(let text) = element else { throw expectedValue(name) }
                values.append(text)
            }
            return ConfigurationFile.Setting(name: name, values: values, isList: true)
        case .string(let text): return ConfigurationFile.Setting(name: name, values: [text])
        case .object: throw expectedValue(name)
        }
    }

    private func expectedValue(_ name: String) -> CommandLineError {
        .malformedConfiguration(path: path, problem: "\(CommandLineError.shown(name)): expected a value or a list of values")
    }
}
