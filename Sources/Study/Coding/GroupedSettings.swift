public import Runs

/// Settings in groups: each group is a property in Swift, and all of them together are flat in files.
public protocol GroupedSettings: Settings {
    /// All groups.
    static var groups: [SettingsGroup<Self>] { get }
}

extension GroupedSettings {
    /// Validates each group. Where groups must fit each other there is more to it.
    public func validate() throws { try validateGroups() }

    /// Validates each group.
    public func validateGroups() throws { for group in Self.groups { try group.validate(self) } }

    public static var names: [String] { groups.flatMap(\.names) }

    public var values: [String: OptionValue] {
        get throws {
            try Self.groups.reduce(into: [:]) { all, group in all.merge(try group.values(self)) { first, _ in first } }
        }
    }

    public init(values: [String: OptionValue]) throws {
        try InvalidSetting.checkNames(values.keys, among: Self.names)
        self.init()
        for group in Self.groups { try group.set(&self, values.filter { group.names.contains($0.key) }) }
    }

    public init(from decoder: any Decoder) throws { try self.init(values: [String: OptionValue](from: decoder)) }

    public func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
}

/// One group of settings, at a property of the whole.
public struct SettingsGroup<Whole> {
    let names: [String]
    let values: (Whole) throws -> [String: OptionValue]
    let set: (inout Whole, [String: OptionValue]) throws -> Void
    let validate: (Whole) throws -> Void

    /// The group at a property of the stage.
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
