public import ArgumentParser
import Train

/// The value of the option `--optimizer`: the name of an optimiser, or one that Transformers gives to `optim`. As a setting, it has
/// the name of this package.
public struct OptimizerArgument: ExpressibleByArgument, Equatable, Sendable, CustomStringConvertible {
    /// The name of this package.
    public let description: String

    /// Creates the value from a name of this package.
    public init(_ name: String) { description = name }

    /// Creates the value from what the user wrote; nil for an unknown name.
    public init?(argument: String) {
        guard let kind = OptimizerKind(named: argument) else { return nil }
        description = kind.rawValue
    }

    /// The name of this package.
    public var defaultValueDescription: String { description }
    /// The names that help lists.
    public static var allValueStrings: [String] { OptimizerKind.allCases.map(\.rawValue) }
}
