import Formats

/// A metric that assigns a number to a single text. Custom metrics appear in tables with their intervals beside the built-in
/// ones.
///
///     struct QuestionMarks: TextMetric {
///         let name = "question_marks"
///         func value(of text: MeasuredText) -> Double? { Double(text.text.count { $0 == "?" }) }
///     }
///     let report = try TextReport(groups, metrics: TextMetrics.builtIn + [QuestionMarks()], using: &random)
public protocol TextMetric: Sendable {
    /// The name of the metric in tables.
    var name: String { get }
    /// The value for a text.
    /// - Returns: nil if the text has no value, for example without the reference that the metric needs; such texts are left
    ///   out and counted.
    /// - Throws: if the metric cannot be computed at all; the report then fails.
    func value(of text: MeasuredText) throws -> Double?
}

/// A text with its references, and a cache for intermediate results that several metrics share.
///
/// Not `Sendable`: use an instance from one task only.
public final class MeasuredText {
    /// The text.
    public let text: String
    /// The input that the text answers; nil if it is unknown.
    public let input: String?
    /// The references of the text; nil if there are none, so that the text is left out. With an empty list, in contrast, the
    /// text scores 0.
    public let references: [String]?
    private var derived: [String: Any] = [:]

    /// A text with its optional input and references.
    public init(_ text: String, input: String? = nil, references: [String]? = nil) {
        self.text = text
        self.input = input
        self.references = references
    }

    /// Returns the result of `make`, computed once per `key`. The key must identify the value's type and all options that the
    /// value depends on.
    public func derived<Value>(_ key: String, make: () throws -> Value) rethrows -> Value {
        if let value = derived[key] as? Value { return value }
        let value = try make()
        derived[key] = value
        return value
    }
}

/// A text metric computed by a closure.
public struct ClosureTextMetric: TextMetric {
    public let name: String
    private let body: @Sendable (MeasuredText) throws -> Double?

    /// A metric with a name and a closure.
    /// - Parameters:
    ///   - name: the name of the metric in tables.
    ///   - body: the value for a text; nil if it has none.
    public init(_ name: String, _ body: @escaping @Sendable (MeasuredText) throws -> Double?) {
        self.name = name
        self.body = body
    }

    public func value(of text: MeasuredText) throws -> Double? { try body(text) }
}

/// An error in measuring texts.
public enum TextMetricError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Two metrics have the same name, or a metric has the name of another column of the tables.
    case nameTaken(String)
    /// A metric has an empty name.
    case nameless
    /// A metric returned NaN or Inf.
    case notFinite(metric: String, value: Double)
    /// Two groups that are compared input by input have different numbers of inputs.
    case notPaired(Int, Int)

    /// One line that says what is wrong and how to fix it.
    public var description: String {
        switch self {
        case .nameTaken(let name): "two columns would have the name \(OneLine.quoted(name)); rename the metric"
        case .nameless: "a text metric has an empty name"
        case .notFinite(let metric, let value):
            "the text metric \(OneLine.quoted(metric)) returned \(value); it must return a finite number, or nil for a text without a value"
        case .notPaired(let first, let second):
            "a paired difference needs the same inputs in both groups, but they have \(first) and \(second)"
        }
    }
}
