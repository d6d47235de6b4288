public import Runs

/// Settings that consist of groups. In Swift, each group is a property. In files, the settings of all groups form one flat list.
public protocol GroupedSettings: Settings {
    /// All groups.
    static var groups: [SettingsGroup<Self>] { get }
}

extension GroupedSettings {
    /// Validates each group. A type whose groups depend on each other overrides this and checks the combinations, too.
    public func validate() throws { try validateGroups() }

    /// Validates each group on its own: first that no number is NaN, then the group's own rules.
    public func validateGroups() throws { for group in Self.groups { try group.validate(self) } }

    /// The names of the settings of all groups in snake_case, in the order of the groups.
    public static var names: [String] { groups.flatMap(\.names) }

    /// The values of all settings of all groups that are not nil, by snake_case name.
    public var values: [String: OptionValue] {
        get throws {
            try Self.groups.reduce(into: [:]) { all, group in all.merge(try group.values(self)) { first, _ in first } }
        }
    }

    /// Settings from values by snake_case name, distributed to their groups. Settings that are not named keep their defaults.
    /// - Throws: `InvalidSetting` for an unknown name or a value of the wrong type.
    public init(values: [String: OptionValue]) throws {
        try InvalidSetting.checkNames(values.keys, among: Self.names)
        self.init()
        for group in Self.groups { try group.set(&self, values.filter { group.names.contains($0.key) }) }
    }

    /// Decodes the flat form that files use.
    public init(from decoder: any Decoder) throws { try self.init(values: [String: OptionValue](from: decoder)) }

    /// Encodes the flat form that files use.
    public func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
}

/// One group of settings, stored in a property of `Whole`.
public struct SettingsGroup<Whole> {
    let names: [String]
    let values: (Whole) throws -> [String: OptionValue]
    let set: (inout Whole, [String: OptionValue]) throws -> Void
    let validate: (Whole) throws -> Void

    /// The group of settings at a key path of `Whole`.
    public init<Part: Settings>(_ path: WritableKeyPath<Whole, Part>) {
        names = Part.names
        values = { try $0[keyPath: path].values }
        set = { whole, values in whole[keyPath: path] = try Part(values: values) }
        validate = { whole in
            try whole[keyPath: path].validateNumbers()
            try whole[keyPath: path].validate()
        }
    }
}
