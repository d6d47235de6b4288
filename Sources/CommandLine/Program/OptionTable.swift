public import ArgumentParser
internal import Foundation
public import Runs
internal import Study

/// The options of a program and the kinds of values that they take, derived from the declarations of its command.
///
/// A property `@Option var freezeLayers: Double` is the option `freeze-layers`. Custom names (`name: .customLong(…)`) are
/// not recognised; give the property the name of the option, and declare other names as aliases.
public struct OptionTable: Sendable {
    /// The kind of value that an option takes.
    public enum Kind: Equatable, Sendable {
        /// A Boolean value: `@Option var x: Bool`.
        case boolean
        /// No value; the option is true if it is given: `@Flag var x: Bool`.
        case flag
        /// One value.
        case value
        /// A list of values in one argument: `@Option var x: ArgumentList<…>`.
        case list
        /// A list of values, with the option repeated for each: `@Option var x: […]`.
        case repeated
    }

    /// One option.
    public struct Entry: Equatable, Sendable {
        /// The kind of value.
        public var kind: Kind
        /// Whether the option is optional. `none` and `null` then clear its value.
        public var isOptional: Bool
        /// What a value must be, such as "an integer"; nil for values other than numbers.
        public var expected: String?
    }

    /// The options by kebab-case name.
    public private(set) var entries: [String: Entry] = [:]
    /// Alternative names of options and the names that they stand for, in kebab-case.
    public private(set) var aliases: [String: String] = [:]
    /// Options that can be given without a value, which is the same as omitting them.
    public private(set) var mayLackValue: Set<String> = []
    /// The values that `none` and `null` stand for, for options that they do not clear.
    public private(set) var valuesOfNone: [String: String] = [:]
    /// Options that are accepted and ignored. A real option of the same name takes precedence.
    public private(set) var ignored: [IgnoredOption] = IgnoredOption.common
    /// The list option that receives words given without an option name; nil if there is none.
    public private(set) var optionOfWords: String?
    /// Whether the program has positional arguments.
    public private(set) var takesWords = false

    /// Creates the table of a command's options, including those of its groups.
    public init(_ arguments: any ParsableArguments.Type) {
        add(arguments)
        for (other, name) in aliases { precondition(entries[name] != nil, "alias \(other) of unknown option \(name)") }
        for name in valuesOfNone.keys { precondition(entries[name] != nil, "value for none of unknown option \(name)") }
    }

    /// The kebab-case form of a name in snake_case, kebab-case or camelCase.
    public static func canonical(_ name: String) -> String { SettingName.canonical(name) }

    /// The option values of a parsed command by snake_case name, for the configuration of a run.
    ///
    /// Options without a value are omitted. So is `config`, whose content is already part of the other options.
    public static func values(of arguments: any ParsableArguments) -> [String: OptionValue] {
        var values: [String: OptionValue] = [:]
        for child in Mirror(reflecting: arguments).children {
            if let group = child.value as? any GroupProperty {
                values.merge(self.values(of: group.group)) { _, new in new }
            } else if let property = child.value as? any ValueProperty, let name = propertyName(child.label) {
                let value = OptionValue(reflecting: property.value)
                if value != .null { values[name.replacing("-", with: "_")] = value }
            }
        }
        values["config"] = nil
        return values
    }

    /// The option groups of a command, including nested ones, with the kebab-case names of the options in each.
    static func groups(of arguments: any ParsableArguments.Type) -> [(group: any ParsableArguments.Type, names: Set<String>)] {
        Mirror(reflecting: arguments.init()).children.flatMap { child in
            guard let group = (child.value as? any GroupProperty)?.groupType else {
                return [] as [(any ParsableArguments.Type, Set<String>)]
            }
            let own = Mirror(reflecting: group.init()).children.compactMap { child in
                child.value is any ValueProperty ? propertyName(child.label) : nil
            }
            return [(group, Set(own))] + groups(of: group)
        }
    }

    /// The largest absolute value of an integer option, except for seeds. The product of two such values does not overflow.
    static let largestInteger = 1_000_000_000

    /// The error message for the first option whose value is an integer beyond `largestInteger` or NaN; nil if there is none.
    static func absurdNumber(in arguments: any ParsableArguments) -> String? {
        for child in Mirror(reflecting: arguments).children {
            if let group = child.value as? any GroupProperty {
                if let problem = absurdNumber(in: group.group) { return problem }
            } else if let property = child.value as? any ValueProperty, let name = propertyName(child.label),
                let problem = absurdity(of: property.value)
            {
                return "--\(name) is \(problem)"
            }
        }
        return nil
    }

    /// The parser's message on an invalid value, with what the option expects.
    func explained(_ message: String) -> String {
        guard let match = message.firstMatch(of: /is invalid for '--([a-z0-9-]+)[^']*'/),
            let expected = entries[String(match.1)]?.expected
        else { return message }
        return message.replacingCharacters(in: match.range, with: "\(match.0); expected \(expected)")
    }

    private static func absurdity(of value: Any) -> String? {
        switch value {
        case let optional as any OptionalValue: optional.wrapped.flatMap(absurdity)
        case let list as any ListValue: list.elements.lazy.compactMap(absurdity).first
        case let list as [Any]: list.lazy.compactMap(absurdity).first
        case let integer as Int where integer.magnitude > UInt(largestInteger):
            "\(integer); whole numbers are at most \(largestInteger)"
        case let number as any BinaryFloatingPoint where number.isNaN: "nan; expected a number"
        default: nil
        }
    }

    private mutating func add(_ arguments: any ParsableArguments.Type) {
        if let named = arguments as? any ProgramOptions.Type {
            for (other, name) in named.aliases { aliases[Self.canonical(other)] = Self.canonical(name) }
            mayLackValue.formUnion(named.mayLackValue.map(Self.canonical))
            for (name, value) in named.valuesOfNone { valuesOfNone[Self.canonical(name)] = value }
            ignored += named.ignored
            optionOfWords = named.optionOfWords.map(Self.canonical) ?? optionOfWords
        }
        for child in Mirror(reflecting: arguments.init()).children {
            if let group = child.value as? any GroupProperty {
                add(group.groupType)
            } else if let property = child.value as? any ValueProperty, let name = Self.propertyName(child.label) {
                if property.isWord {
                    takesWords = true
                } else {
                    entries[name] = property.entry
                }
            }
        }
    }

    /// `_freezeLayers` → `freeze-layers`.
    private static func propertyName(_ label: String?) -> String? {
        guard let label, label.hasPrefix("_") else { return nil }
        return canonical(String(label.dropFirst()))
    }
}

// MARK: - Reflection of property wrappers

private protocol ValueProperty {
    var entry: OptionTable.Entry { get }
    var isWord: Bool { get }
    /// The value; only available in a parsed command.
    var value: Any { get }
}

extension ValueProperty {
    fileprivate var isWord: Bool { false }
}

extension Option: ValueProperty {
    fileprivate var entry: OptionTable.Entry {
        let optional = Value.self as? any OptionalValue.Type
        let type = optional?.wrappedType ?? Value.self
        let kind: OptionTable.Kind =
            type == Bool.self
            ? .boolean : type is any RepeatedValue.Type ? .repeated : type is any ListValue.Type ? .list : .value
        let expected = type is any BinaryInteger.Type ? "an integer" : type is any BinaryFloatingPoint.Type ? "a number" : nil
        return OptionTable.Entry(kind: kind, isOptional: optional != nil, expected: expected)
    }

    fileprivate var value: Any { wrappedValue }
}

extension Flag: ValueProperty {
    fileprivate var entry: OptionTable.Entry { OptionTable.Entry(kind: .flag, isOptional: false) }
    fileprivate var value: Any { wrappedValue }
}

extension Argument: ValueProperty {
    fileprivate var entry: OptionTable.Entry { OptionTable.Entry(kind: .value, isOptional: false) }
    fileprivate var isWord: Bool { true }
    fileprivate var value: Any { wrappedValue }
}

private protocol GroupProperty {
    var groupType: any ParsableArguments.Type { get }
    var group: any ParsableArguments { get }
}

extension OptionGroup: GroupProperty {
    fileprivate var groupType: any ParsableArguments.Type { Value.self }
    fileprivate var group: any ParsableArguments { wrappedValue }
}

private protocol OptionalValue {
    static var wrappedType: Any.Type { get }
    var wrapped: Any? { get }
}

extension Optional: OptionalValue {
    fileprivate static var wrappedType: Any.Type { Wrapped.self }
    fileprivate var wrapped: Any? { self }
}

private protocol RepeatedValue {}
extension Array: RepeatedValue {}

private protocol ListValue {
    var elements: [Any] { get }
}
extension ArgumentList: ListValue {
    fileprivate var elements: [Any] { values }
}

extension OptionValue {
    /// A number. JSON cannot represent NaN and Inf, so they are stored as text, as a user would type them.
    private init(_ number: Double) { self = number.isFinite ? .number(number) : .string("\(number)") }

    /// Creates the JSON value of an option's value: a number, a string, a list of them, or any type with a command-line form.
    init(reflecting value: Any) {
        switch value {
        case let optional as any OptionalValue: self = optional.wrapped.map(OptionValue.init(reflecting:)) ?? .null
        case let list as any ListValue: self = .array(list.elements.map(OptionValue.init(reflecting:)))
        case let array as [Any]: self = .array(array.map(OptionValue.init(reflecting:)))
        case let bool as Bool: self = .bool(bool)
        case let integer as any BinaryInteger:
            self = Int64(exactly: integer).map(OptionValue.integer) ?? .string("\(integer)")
        case let double as Double: self = OptionValue(double)
        case let float as Float: self = OptionValue(Double("\(float)") ?? .nan)
        case let string as String: self = .string(string)
        case let url as URL: self = .string(url.isFileURL ? url.relativePath : url.absoluteString)
        case let other as any ExpressibleByArgument: self = .string(other.defaultValueDescription)
        default: self = .string("\(value)")
        }
    }
}
