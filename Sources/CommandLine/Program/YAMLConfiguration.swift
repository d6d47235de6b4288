internal import Formats
internal import Foundation
internal import Yams

/// Parses options in YAML: one mapping from names to values or lists of values.
///
/// Yams replaces every alias by a copy of its content, so that a few lines of nested aliases can exceed any amount of memory.
/// To prevent this, the alias marks `*` are replaced by ordinary characters before parsing. Aliases of values and of lists of
/// values, the only useful ones for options, are resolved here.
struct YAMLConfiguration {
    let path: String

    /// The settings, in the order of the file.
    /// - Throws: `CommandLineError.malformedConfiguration`.
    func settings(_ text: String) throws(CommandLineError) -> [ConfigurationFile.Setting] {
        let mark = Self.freeMark(text)
        let parser: Yams.Parser
        let node: Node?
        do {
            parser = try Yams.Parser(yaml: text.replacing("*", with: String(mark)))
            node = try parser.singleRoot()
        } catch {
            let lines = "\(error)".split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            let message = lines.joined(separator: " ").replacing(String(mark), with: "*")
            throw .malformedConfiguration(path: path, problem: "not YAML (\(message))")
        }
        // keeps the parser alive: it owns the names of anchors
        defer { withExtendedLifetime(parser) {} }
        guard let node else { return [] }
        guard let mapping = node.mapping else {
            throw .malformedConfiguration(path: path, problem: "expected one mapping of options")
        }
        var aliases = Aliases(mark: mark, path: path)
        var settings: [ConfigurationFile.Setting] = []
        for (key, value) in mapping {
            guard case .scalar(let name)? = try aliases.content(of: key) else {
                throw .malformedConfiguration(path: path, problem: "expected names as keys")
            }
            let place = key.mark.map { "\(path):\($0.line)" } ?? path
            switch try aliases.content(of: value) {
            case .scalar(let scalar):
                settings.append(.init(name: name.text, values: scalar.isNull ? [] : [scalar.text], isNull: scalar.isNull))
            case .list(let elements):
                settings.append(.init(name: name.text, values: elements.map(\.text), isList: true))
            case nil where value.sequence != nil:
                throw .malformedConfiguration(path: place, problem: "\(CommandLineError.shown(name.text)): expected a list of values")
            case nil:
                throw .malformedConfiguration(
                    path: place, problem: "\(CommandLineError.shown(name.text)): expected a value or a list of values")
            }
        }
        return settings
    }

    /// A private-use character that does not occur in the text.
    private static func freeMark(_ text: String) -> Character {
        let used = Set(text.unicodeScalars.filter { (0xE000...0xF8FF).contains($0.value) })
        let free = (0xE000...0xF8FF as ClosedRange<UInt32>).lazy.compactMap(Unicode.Scalar.init).first { !used.contains($0) }
        return Character(free ?? "\u{E000}")
    }

    /// The content of a node that is valid as the value of an option.
    private enum Content {
        case scalar(Scalar)
        case list([Scalar])
    }

    private struct Scalar {
        var text: String
        var isNull: Bool
    }

    /// Resolves aliases from the anchors read so far.
    private struct Aliases {
        let mark: Character
        let path: String
        private var contents: [String: Content] = [:]

        init(mark: Character, path: String) { (self.mark, self.path) = (mark, path) }

        /// The content of a node; nil if it is not valid as the value of an option.
        /// - Throws: `CommandLineError.malformedConfiguration` for an alias without such an anchor before it.
        mutating func content(of node: Node) throws(CommandLineError) -> Content? {
            if let scalar = node.scalar {
                if scalar.style == .plain, scalar.string.first == mark {
                    let name = String(scalar.string.dropFirst())
                    guard let content = contents[name] else {
                        let place = node.mark.map { "\(path):\($0.line)" } ?? path
                        throw .malformedConfiguration(
                            path: place,
                            problem: "not YAML (the alias \(OneLine.quoted("*" + name)) refers to no value or list of values before it)")
                    }
                    return content
                }
                let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
                let content = Content.scalar(Scalar(text: scalar.string.replacing(String(mark), with: "*"), isNull: isNull))
                if let anchor = scalar.anchor { contents[anchor.rawValue] = content }
                return content
            }
            guard let sequence = node.sequence else { return nil }
            var elements: [Scalar] = []
            for element in sequence {
                guard case .scalar(let scalar)? = try content(of: element) else { return nil }
                elements.append(scalar)
            }
            if let anchor = sequence.anchor { contents[anchor.rawValue] = .list(elements) }
            return .list(elements)
        }
    }
}
