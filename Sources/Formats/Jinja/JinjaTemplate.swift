public import Foundation

/// A template in the language of Jinja, as far as chat templates use it, with Transformers' settings: `trim_blocks` and `lstrip_blocks`,
/// `break` and `continue`, `{% generation %}`, its `tojson`, `raise_exception` and `strftime_now`, and no change of lists and dictionaries.
///
///     let template = try JinjaTemplate("{% for m in messages %}{{ m.role }}: {{ m['content'] | trim }}\n{% endfor %}")
///     let text = try template.render(["messages": [["role": "user", "content": " Hello "]]]).text
///
/// Output equals that of jinja2 3.1. What is not known here is an error that names the construct and its line. A template can do nothing
/// but make text of the values that it is given, within ``JinjaLimits``.
public struct JinjaTemplate: Sendable {
    /// The template as it was written.
    public let source: String
    /// Whether a `{% generation %}` block stands in it.
    public let marksGenerations: Bool
    private let statements: [JinjaStatement]

    /// What a template made of its values.
    public struct Rendering: Sendable, Equatable {
        /// The text.
        public var text: String
        /// What stands in `{% generation %}` blocks, in code points of the text, as Transformers counts them.
        public var generations: [Range<Int>]
    }

    /// Reads a template.
    /// - Throws: `JinjaError`.
    public init(_ source: String) throws {
        var parser = try JinjaParser(source)
        statements = try parser.template()
        self.source = source
        marksGenerations = parser.marksGenerations
    }

    /// Whether Jinja takes a character for white space, as Python does.
    public static func isSpace(_ scalar: Unicode.Scalar) -> Bool { PythonText.isSpace(scalar) }

    /// The text of code points.
    package static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String { PythonText.string(scalars) }

    /// Makes the text of some values.
    /// - Parameters:
    ///   - variables: The values by name.
    ///   - now: What `strftime_now` tells.
    ///   - timeZone: Where it tells it.
    ///   - limits: How much it may do.
    /// - Throws: `JinjaError`.
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
    /// Adds up the bytes of the texts in this value, and the values.
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

/// The time that a template may ask for.
struct JinjaClock {
    let now: Date
    let timeZone: TimeZone

    /// The time in the notation of `strftime`, in English.
    func text(_ format: String) -> String {
        let seconds = now.timeIntervalSince1970.rounded(.down)
        var time = time_t(seconds + Double(timeZone.secondsFromGMT(for: now)))
        var parts = tm()
        gmtime_r(&time, &parts)
        let micros = String(Int((now.timeIntervalSince1970 - seconds) * 1_000_000))
        let microseconds = String(repeating: "0", count: max(0, 6 - micros.count)) + micros
        // Python writes fractions by itself, and nothing for the zone of a time that has none
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
