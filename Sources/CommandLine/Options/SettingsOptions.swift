import ArgumentParser
public import Study

/// The options of one group of settings: an option for each of them, of the same name. Defaults are the settings' own.
public protocol SettingsOptions: ProgramOptions {
    /// The settings.
    associatedtype Values: Settings
}

extension SettingsOptions {
    /// The values of options that are not given.
    public static var defaults: Values { Values() }

    /// The settings that the options give.
    /// - Throws: `InvalidSetting`.
    public var settings: Values {
        get throws {
            // options that are not settings, such as --config, are the command line's own
            let names = Set(Values.names)
            return try Values(values: OptionTable.values(of: self).filter { names.contains($0.key) })
        }
    }

    public func validate() throws { try validateSettings() }

    /// Validates the settings; errors become those of the argument parser.
    /// - Throws: `ValidationError`.
    public func validateSettings() throws {
        do {
            let settings = try settings
            try settings.validateNumbers()
            try settings.validate()
        } catch let error as InvalidSetting {
            guard !(error.isMissing && ConfigurationTemplate.isBeingWritten) else { return }
            throw ValidationError(error.message)
        }
    }
}

/// A command that runs something made of groups of settings, and whose groups of options are those groups.
public protocol SettingsCommand: ProgramCommand {
    /// What it runs.
    associatedtype Whole: GroupedSettings
}

extension SettingsCommand {
    /// The settings that the options give.
    /// - Throws: `InvalidSetting`.
    public var settings: Whole {
        get throws {
            let names = Set(Whole.names)
            return try Whole(values: resolvedOptions.filter { names.contains($0.key) })
        }
    }

    public func validate() throws {
        do {
            try settings.validate()
        } catch let error as InvalidSetting {
            throw ValidationError(error.message)
        }
    }
}
