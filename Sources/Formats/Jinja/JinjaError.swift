/// An error in a template, or an error while a template is rendered, with its line.
public struct JinjaError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of error.
    public enum Kind: String, Sendable {
        /// The template is not valid Jinja.
        case syntax
        /// The template uses a construct, filter, test or method of Jinja that this implementation does not support.
        case unsupported
        /// An operation met a value that it cannot handle.
        case runtime
        /// The template called `raise_exception`.
        case raised
        /// Rendering exceeded one of the limits in ``JinjaLimits``, or the template is too large or too deeply nested.
        case limit
    }

    /// The kind of error.
    public var kind: Kind
    /// The line of the template, counted from 1.
    public var line: Int
    /// What is wrong on that line.
    public var reason: String

    /// The line and the reason, on one line.
    public var description: String { "line \(line): \(OneLine.escaped(reason))" }

    init(_ kind: Kind, line: Int, _ reason: String) {
        self.kind = kind
        self.line = line
        self.reason = reason
    }
}

/// Limits on the resources that rendering a template may use. Rendering throws an error of kind `limit` when it exceeds one.
public struct JinjaLimits: Sendable, Equatable {
    /// Maximum number of evaluated expressions and statements.
    public var steps = 1_000_000
    /// Maximum total size of intermediate strings and lists, in bytes, counting those that are created and those that are
    /// scanned.
    public var work = 32 << 20
    /// Maximum size of the output in bytes.
    public var output = 32 << 20
    /// Maximum nesting of macro calls.
    public var calls = 60

    /// The default limits. ``JinjaTemplate/render(_:now:timeZone:limits:)`` raises them in proportion to the size of its
    /// variables, so that long conversations do not exceed them.
    public init() {}

    /// These limits, raised for variables with `bytes` bytes of text in `values` JSON values.
    func allowing(bytes: Int, values: Int) -> JinjaLimits {
        var limits = self
        limits.work += 32 * bytes
        limits.output += 4 * bytes
        limits.steps += 200 * values
        return limits
    }

    /// Maximum size of a template's source, in bytes.
    public static let source = 1 << 20
    /// Maximum nesting of brackets, operators and blocks.
    static let nesting = 80
    /// Maximum depth of one expression tree, including chains of operators.
    static let depth = 300
    /// Maximum nesting of expressions and statements during evaluation, including macro bodies.
    static let evaluation = 1000
    /// Maximum length of a `range`, as in Jinja's sandbox.
    static let range = 100_000
}
