import Formats

/// A number for one text. One from outside appears in tables with its interval, beside the built-in ones.
///
///     struct QuestionMarks: TextMetric {
///         let name = "question_marks"
///         func value(of text: MeasuredText) -> Double? { Double(text.text.count { $0 == "?" }) }
///     }
///     let report = try TextReport(groups, metrics: TextMetrics.builtIn + [QuestionMarks()], using: &random)
public protocol TextMetric: Sendable {
    /// What tables call it.
    var name: String { get }
    /// The number of a text.
    /// - Returns: nil where the text has none, as without the reference that it would be compared with; such texts are left out and counted.
    /// - Throws: when the metric cannot be computed at all; the report fails then.
    func value(of text: MeasuredText) throws -> Double?
}

/// A text with what it is measured against, and what several metrics make of it, made once.
///
/// Not `Sendable`: one owner, one task.
public final class MeasuredText {
    /// The text.
    public let text: String
    /// What it answers, where that is known.
    public let input: String?
    /// The texts that it is compared with; nil where there is none, which is not the same as an empty list: a text of no references scores 0.
    public let references: [String]?
    private var derived: [String: Any] = [:]

    /// A text; see the properties.
    public init(_ text: String, input: String? = nil, references: [String]? = nil) {
        self.text = text
        self.input = input
        self.references = references
    }

    /// What `make` returns, computed once per `key`; the key must name the value's type and all options it depends on.
    public func derived<Value>(_ key: String, make: () throws -> Value) rethrows -> Value {
        if let value = derived[key] as? Value { return value }
        let value = try make()
        derived[key] = value
        return value
    }
}

/// A text metric that a closure computes.
public struct ClosureTextMetric: TextMetric {
    public let name: String
    private let body: @Sendable (MeasuredText) throws -> Double?

    /// - Parameter body: gives the number of a text; nil where it has none.
    public init(_ name: String, _ body: @escaping @Sendable (MeasuredText) throws -> Double?) {
        self.name = name
        self.body = body
    }

    public func value(of text: MeasuredText) throws -> Double? { try body(text) }
}

/// Why texts cannot be measured.
public enum TextMetricError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Two metrics of one name, or one that has the name of something else in the tables.
    case nameTaken(String)
    /// A metric without a name.
    case nameless
    /// A number that is NaN or infinite.
    case notFinite(metric: String, value: Double)
    /// Two groups that are compared input by input, of different sizes.
    case notPaired(Int, Int)

    /// One line: what is wrong and what to do.
    public var description: String {
        switch self {
        case .nameTaken(let name): "two columns would be called \(OneLine.quoted(name)); give the metric another name"
        case .nameless: "a text metric has no name; tables need one"
        case .notFinite(let metric, let value):
            "the text metric \(OneLine.quoted(metric)) gave \(value); it must give a number, or nil for a text that has none"
        case .notPaired(let first, let second):
            "a difference input by input needs the same inputs in both groups, and they have \(first) and \(second)"
        }
    }
}
