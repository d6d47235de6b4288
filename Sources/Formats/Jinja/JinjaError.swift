/// What is wrong with a template, or went wrong while it was rendered: the line, and what about it.
public struct JinjaError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of fault it is.
    public enum Kind: String, Sendable {
        /// The text is no template.
        case syntax
        /// A construct, filter, test or method of Jinja that is not here.
        case unsupported
        /// Rendering met a value that does not fit.
        case runtime
        /// The template called `raise_exception`.
        case raised
        /// Rendering would take more steps, text or nesting than any honest template.
        case limit
    }

    /// What kind of fault it is.
    public var kind: Kind
    /// The line of the template, from 1.
    public var line: Int
    /// What is wrong there.
    public var reason: String

    /// One line for people.
    public var description: String { "line \(line): \(OneLine.escaped(reason))" }

    init(_ kind: Kind, line: Int, _ reason: String) {
        self.kind = kind
        self.line = line
        self.reason = reason
    }
}

/// How much a template may do before rendering it ends with an error.
public struct JinjaLimits: Sendable, Equatable {
    /// Expressions and statements that are evaluated.
    public var steps = 1_000_000
    /// Bytes of text and of lists that are made and gone through on the way, all of them together.
    public var work = 32 << 20
    /// Bytes of output.
    public var output = 32 << 20
    /// Calls of macros within each other.
    public var calls = 60

    /// The limits that hold everywhere. Rendering may do more for each byte of its values, so that long conversations do not meet them.
    public init() {}

    /// These limits for values of some size.
    func allowing(bytes: Int, values: Int) -> JinjaLimits {
        var limits = self
        limits.work += 32 * bytes
        limits.output += 4 * bytes
        limits.steps += 200 * values
        return limits
    }

    /// The longest source of a template, in bytes.
    public static let source = 1 << 20
    /// Brackets, operators and blocks may be nested this deep.
    static let nesting = 80
    /// What one expression may have in depth, chains of operators included.
    static let depth = 300
    /// Expressions and statements that are evaluated within each other, macros included.
    static let evaluation = 1000
    /// The longest `range`, as in Jinja's sandbox.
    static let range = 100_000
}
