internal import Foundation
internal import Yams

/// A file of options for `--config`: YAML, or JSON when its name ends so.
///
/// The keys are the options' names in any spelling. The `config.json` of a run folder counts by its `options`.
enum ConfigurationFile {
    /// One key and its values as texts: none for null, one for a scalar, any number for a list.
    struct Setting: Equatable {
        var name: String
        var values: [String]
        var isList = false
        var isNull = false
    }

    /// Reads the settings in the order of their names in the file (of the alphabet for JSON).
    /// - Parameter path: A file, or a run folder, whose `config.json` is meant.
    /// - Throws: `CommandLineError`.
    static func read(_ path: String, program: String) throws(CommandLineError) -> [Setting] {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let file = isFolder.boolValue ? path + "/" + RunConfiguration.fileName : path
        let content: Foundation.Data
        do {
            content = try Foundation.Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            let exists = FileManager.default.fileExists(atPath: file)
            throw .unreadableConfiguration(
                path: file, reason: exists ? "permission denied or not a file" : "it does not exist")
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .malformedConfiguration(path: file, problem: "it is not UTF-8")
        }
        if file.lowercased().hasSuffix(".json") {
            return try json(content, path: file, program: program)
        }
        return try yaml(text, path: file)
    }

    private static func json(
        _ content: Foundation.Data, path: String, program: String
    ) throws(CommandLineError) -> [Setting] {
        guard case .object(var keys)? = try? JSONDecoder().decode(OptionValue.self, from: content) else {
            throw .malformedConfiguration(path: path, problem: "expected one JSON object of options")
        }
        if case .object(let options)? = keys["options"], case .string(let found)? = keys["program"] {
            guard found == program else { throw .otherProgram(path: path, found: found, expected: program) }
            keys = options
        }
        var settings: [Setting] = []
        for (name, value) in keys.sorted(by: { $0.key < $1.key }) {
            switch value {
            case .null: settings.append(Setting(name: name, values: [], isNull: true))
            case .array(let elements):
                for element in elements { try checkScalar(element, name: name, path: path) }
                settings.append(Setting(name: name, values: elements.map(\.text), isList: true))
            default:
                try checkScalar(value, name: name, path: path)
                settings.append(Setting(name: name, values: [value.text]))
            }
        }
        return settings
    }

    private static func checkScalar(_ value: OptionValue, name: String, path: String) throws(CommandLineError) {
        switch value {
        case .bool, .integer, .number, .string: return
        default:
            throw .malformedConfiguration(path: path, problem: "\(name): expected a value or a list of values")
        }
    }

    private static func yaml(_ text: String, path: String) throws(CommandLineError) -> [Setting] {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            let lines = "\(error)".split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            throw .malformedConfiguration(path: path, problem: "not YAML (\(lines.joined(separator: " ")))")
        }
        guard let node else { return [] }
        guard let mapping = node.mapping else {
            throw .malformedConfiguration(path: path, problem: "expected one mapping of options")
        }
        var settings: [Setting] = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw .malformedConfiguration(path: path, problem: "expected names as keys")
            }
            let place = key.mark.map { "\(path):\($0.line)" } ?? path
            if let scalar = value.scalar {
                let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
                settings.append(Setting(name: name, values: isNull ? [] : [scalar.string], isNull: isNull))
            } else if let sequence = value.sequence {
                let elements = sequence.compactMap(\.scalar?.string)
                guard elements.count == sequence.count else {
                    throw .malformedConfiguration(path: place, problem: "\(name): expected a list of values")
                }
                settings.append(Setting(name: name, values: elements, isList: true))
            } else {
                throw .malformedConfiguration(path: place, problem: "\(name): expected a value or a list of values")
            }
        }
        return settings
    }
}
