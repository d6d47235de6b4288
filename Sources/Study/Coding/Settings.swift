internal import Formats
public import Runs

/// Settings of one kind with their defaults: a flat structure of numbers, texts, truth values and lists of them.
///
/// A setting is declared once, as a property with its default and its documentation. Its name in files is the property's in snake_case
/// (`maxSteps` is `max_steps`); the command line calls it `--max-steps`.
public protocol Settings: Codable, Equatable, Sendable {
    /// The defaults.
    init()
    /// Settings by snake_case name; those that are not named keep their defaults.
    /// - Throws: `InvalidSetting` for a name that is none, or a value of another type.
    init(values: [String: OptionValue]) throws
    /// All settings that have a value, by snake_case name.
    var values: [String: OptionValue] { get throws }
    /// The names of all settings in snake_case, in the order of their declarations.
    static var names: [String] { get }
    /// Refuses what means nothing.
    /// - Throws: `InvalidSetting`.
    func validate() throws
}

extension Settings {
    public init(values: [String: OptionValue]) throws {
        try InvalidSetting.checkNames(values.keys, among: Self.names)
        var all = try Self().values
        // null takes a value away
        for (name, value) in values { all[name] = value == .null ? nil : value }
        self = try SettingsDecoder.decode(Self.self, from: all)
    }

    public var values: [String: OptionValue] { get throws { try SettingsEncoder.encode(self) } }

    public static var names: [String] {
        Mirror(reflecting: Self()).children.compactMap { $0.label.map(SettingName.snake) }
    }

    public func validate() throws {}

    /// Refuses what is not a number: no comparison with a limit finds it.
    /// - Throws: `InvalidSetting` with the setting's name.
    public func validateNumbers() throws {
        func hasNaN(_ value: Any) -> Bool {
            switch value {
            case let number as Double: number.isNaN
            case let number as Float: number.isNaN
            case let numbers as [Double]: numbers.contains(where: \.isNaN)
            default: false
            }
        }
        for child in Mirror(reflecting: self).children where hasNaN(child.value) {
            throw InvalidSetting("--\(SettingName.canonical(child.label ?? "")) is nan, which is not a finite number; give a finite one")
        }
    }
}

/// The spellings of a setting's name.
public enum SettingName {
    /// The kebab-case form of a name in snake_case, kebab-case or camelCase: `max-steps`.
    public static func canonical(_ name: String) -> String {
        let characters = Array(name)
        var result = ""
        for (index, character) in characters.enumerated() {
            if character == "_" {
                result += "-"
            } else if character.isUppercase {
                let startsWord =
                    index > 0
                    && (!characters[index - 1].isUppercase
                        || (index + 1 < characters.count && characters[index + 1].isLowercase))
                if startsWord && result.last != "-" { result += "-" }
                result += character.lowercased()
            } else {
                result.append(character)
            }
        }
        return result
    }

    /// The snake_case form: `max_steps`.
    public static func snake(_ name: String) -> String { canonical(name).replacing("-", with: "_") }

    /// The form of Swift's properties: `maxSteps`.
    public static func camel(_ name: String) -> String {
        let words = canonical(name).split(separator: "-")
        return words.enumerated().map { $0 == 0 ? String($1) : $1.prefix(1).uppercased() + $1.dropFirst() }.joined()
    }
}

/// Settings that mean nothing, alone or together.
public struct InvalidSetting: Error, Equatable, Sendable, CustomStringConvertible {
    /// One line that names settings as the command line does, `--max-steps`.
    public var message: String

    /// Whether nothing is wrong but that a required setting has no value yet.
    public var isMissing: Bool

    /// A problem; `message` names settings as the command line does.
    public init(_ message: String, isMissing: Bool = false) {
        self.message = message
        self.isMissing = isMissing
    }

    /// One line that names settings as Swift does, `maxSteps`.
    public var description: String {
        OneLine.message(message.replacing(/--([a-z][a-z0-9-]*[a-z0-9])/) { SettingName.camel(String($0.output.1)) })
    }

    /// Refuses names that no setting has.
    static func checkNames(_ names: some Collection<String>, among known: [String]) throws {
        guard let unknown = names.sorted().first(where: { !known.contains($0) }) else { return }
        let nearest = NearestName.find(unknown, among: known).map { "; did you mean \($0)?" } ?? ""
        throw InvalidSetting("there is no setting \(unknown)\(nearest)")
    }
}
