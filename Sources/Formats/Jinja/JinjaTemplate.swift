public import Foundation

/// A Jinja template, limited to what chat templates use, with the settings and extensions of Transformers: `trim_blocks`,
/// `lstrip_blocks`, `break` and `continue`, `{% generation %}`, its `tojson`, `raise_exception` and `strftime_now`. Templates
/// cannot modify lists and dictionaries.
///
///     let template = try JinjaTemplate("{% for m in messages %}{{ m.role }}: {{ m['content'] | trim }}\n{% endfor %}")
///     let text = try template.render(["messages": [["role": "user", "content": " Hello "]]]).text
///
/// The output is identical to that of jinja2 3.1. An unsupported construct is an error that names the construct and its line. A
/// template can only compute text from the variables that it is given, within ``JinjaLimits``.
public struct JinjaTemplate: Sendable {
    /// The template's source text.
    public let source: String
    /// Whether the template contains a `{% generation %}` block.
    public let marksGenerations: Bool
    private let statements: [JinjaStatement]

    /// The result of rendering a template.
    public struct Rendering: Sendable, Equatable {
        /// The rendered text.
        public var text: String
        /// The ranges of `text` that `{% generation %}` blocks wrote, in code points, as Transformers counts them.
        public var generations: [Range<Int>]
    }

    /// Parses a template.
    /// - Throws: ``JinjaError`` if the source is not valid, uses something unsupported or is too large.
    public init(_ source: String) throws {
        var parser = try JinjaParser(source)
        statements = try parser.template()
        self.source = source
        marksGenerations = parser.marksGenerations
    }

    /// Whether Jinja and Python treat a character as whitespace.
    public static func isSpace(_ scalar: Unicode.Scalar) -> Bool { PythonText.isSpace(scalar) }

    /// The string made of a sequence of code points.
    package static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String { PythonText.string(scalars) }

    /// Renders the template.
    /// - Parameters:
    ///   - variables: The template's variables by name.
    ///   - now: The time that `strftime_now` formats.
    ///   - timeZone: The time zone of `strftime_now`.
    ///   - limits: Resource limits, raised here in proportion to the size of `variables`.
    /// - Returns: The text and the ranges of its `{% generation %}` blocks.
    /// - Throws: ``JinjaError``.
    public func render(
        _ variables: [String: JSONValue], now: Date = Date(), timeZone: TimeZone = .current, limits: JinjaLimits = JinjaLimits()
    ) throws -> Rendering {
        var (bytes, values) = (0, 0)
        for value in variables.values { value.count(&bytes, &values) }
        let renderer = JinjaRenderer(
            variables, clock: JinjaClock(now: now, timeZone: timeZone), limits: limits.allowing(bytes: bytes, values: values))
        try renderer.run(statements)
        return Rendering(text: renderer.output, generations: renderer.generations)
    }
}

extension JSONValue {
    /// Adds the number of bytes of text in this value to `bytes`, and the number of values to `values`.
    fileprivate func count(_ bytes: inout Int, _ values: inout Int) {
        values += 1
        switch self {
        case .string(let text): bytes += text.utf8.count
        case .array(let elements): for element in elements { element.count(&bytes, &values) }
        case .object(let members):
            for member in members {
                bytes += member.key.utf8.count
                member.value.count(&bytes, &values)
            }
        case .null, .bool, .number: break
        }
    }
}

/// The clock behind `strftime_now`.
struct JinjaClock {
    let now: Date
    let timeZone: TimeZone

    /// The time formatted with `strftime` codes, in English.
    func text(_ format: String) -> String {
        let seconds = now.timeIntervalSince1970.rounded(.down)
        var time = time_t(seconds + Double(timeZone.secondsFromGMT(for: now)))
        var parts = tm()
        gmtime_r(&time, &parts)
        let micros = String(Int((now.timeIntervalSince1970 - seconds) * 1_000_000))
        let microseconds = String(repeating: "0", count: max(0, 6 - micros.count)) + micros
        // `%f` is Python's own, and Python writes nothing for the zone of a time without one
        var plain = ""
        var rest = Substring(format)
        while let mark = rest.firstIndex(of: "%"), rest.index(after: mark) < rest.endIndex {
            let code = rest[rest.index(after: mark)]
            plain += rest[..<mark]
            switch code {
            case "f": plain += microseconds
            case "z", "Z": break
            default: plain += "%" + String(code)
            }
            rest = rest[rest.index(mark, offsetBy: 2)...]
        }
        plain += rest
        if plain.isEmpty { return "" }
        var buffer = [CChar](repeating: 0, count: plain.utf8.count * 16 + 256)
        let count = strftime(&buffer, buffer.count, plain, &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
