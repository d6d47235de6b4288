internal import Formats
public import Runs

/// Settings of one kind with their defaults: a flat structure of numbers, strings, Booleans and lists of these.
///
/// A setting is declared once, as a property with its default and its documentation. Its name in files is the property's name in
/// snake_case (`maxSteps` is `max_steps`); on the command line it is `--max-steps`.
public protocol Settings: Codable, Equatable, Sendable {
    /// The default settings.
    init()
    /// Settings from values by snake_case name. Settings that are not named keep their defaults.
    /// - Throws: `InvalidSetting` for an unknown name or a value of the wrong type.
    init(values: [String: OptionValue]) throws
    /// The values of all settings that are not nil, by snake_case name.
    var values: [String: OptionValue] { get throws }
    /// The names of all settings in snake_case, in the order of declaration.
    static var names: [String] { get }
    /// Checks that the settings are valid, alone and together.
    /// - Throws: `InvalidSetting`.
    func validate() throws
}

extension Settings {
    /// Settings from values by snake_case name. Settings that are not named keep their defaults; null sets a setting to nil.
    /// - Throws: `InvalidSetting` for an unknown name or a value of the wrong type.
    public init(values: [String: OptionValue]) throws {
        try InvalidSetting.checkNames(values.keys, among: Self.names)
        var all = try Self().values
        // null sets a setting to nil
        for (name, value) in values { all[name] = value == .null ? nil : value }
        self = try SettingsDecoder.decode(Self.self, from: all)
    }

    /// The values of all settings that are not nil, by snake_case name.
    public var values: [String: OptionValue] { get throws { try SettingsEncoder.encode(self) } }

    /// The names of all settings in snake_case, in the order of declaration.
    public static var names: [String] {
        Mirror(reflecting: Self()).children.compactMap { $0.label.map(SettingName.snake) }
    }

    /// Accepts every value: the default for settings without further rules.
    public func validate() throws {}

    /// Checks that no number is NaN. Range checks do not catch NaN, because every comparison with NaN is false.
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
            throw InvalidSetting("--\(SettingName.canonical(child.label ?? "")) is nan; expected a finite number")
        }
    }
}

/// Conversions between the spellings of a setting's name.
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

    /// The snake_case form of a name in any of these cases: `max_steps`.
    public static func snake(_ name: String) -> String { canonical(name).replacing("-", with: "_") }

    /// The camelCase form, as Swift properties are named: `maxSteps`.
    public static func camel(_ name: String) -> String {
        let words = canonical(name).split(separator: "-")
        return words.enumerated().map { $0 == 0 ? String($1) : $1.prefix(1).uppercased() + $1.dropFirst() }.joined()
    }
}

/// Invalid settings: a single value or a combination of values.
public struct InvalidSetting: Error, Equatable, Sendable, CustomStringConvertible {
    /// The message in one line. It names settings as on the command line, `--max-steps`.
    public var message: String

    /// Whether the only problem is that a required setting has no value yet.
    public var isMissing: Bool

    /// An error with a message, which should name settings as on the command line.
    public init(_ message: String, isMissing: Bool = false) {
        self.message = message
        self.isMissing = isMissing
    }

    /// The message in one line, with settings named as in Swift, `maxSteps`.
    public var description: String {
        OneLine.message(message.replacing(/--([a-z][a-z0-9-]*[a-z0-9])/) { SettingName.camel(String($0.output.1)) })
    }

    /// Checks that all names belong to known settings.
    /// - Throws: `InvalidSetting` with the first unknown name in alphabetical order and the most similar known name.
    static func checkNames(_ names: some Collection<String>, among known: [String]) throws {
        guard let unknown = names.sorted().first(where: { !known.contains($0) }) else { return }
        let nearest = NearestName.find(unknown, among: known).map { "; did you mean \($0)?" } ?? ""
        throw InvalidSetting("there is no setting \(unknown)\(nearest)")
    }
}
