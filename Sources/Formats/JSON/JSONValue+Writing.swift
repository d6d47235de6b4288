public import Foundation

extension JSONValue {
    /// The JSON text, indented by two spaces per level and with a newline at the end, as Hugging Face's libraries write it.
    public var text: String { String(decoding: serialised(), as: UTF8.self) }

    /// The JSON text as UTF-8.
    /// - Parameter keepsPairsTogether: Whether an array of one or two strings is written on one line, which keeps the merges of a
    ///   tokenizer readable.
    package func serialised(keepsPairsTogether: Bool = false) -> [UInt8] {
        var writer = Writer(keepsPairsTogether: keepsPairsTogether)
        writer.write(self, depth: 0)
        writer.output.append(UInt8(ascii: "\n"))
        return writer.output
    }

    /// A string as a JSON string literal.
    package static func quoted(_ text: String) -> String {
        var writer = Writer(keepsPairsTogether: false)
        writer.write(text)
        return String(decoding: writer.output, as: UTF8.self)
    }

    /// Writes the JSON text to a file atomically.
    ///
    /// - Throws: ``FileError``.
    public func write(to url: URL) throws {
        try AtomicFile.write(serialised(), to: url)
    }

    private struct Writer {
        let keepsPairsTogether: Bool
        var output: [UInt8] = []

        mutating func write(_ value: JSONValue, depth: Int) {
            switch value {
            case .null: output += "null".utf8
            case .bool(let value): output += (value ? "true" : "false").utf8
            case .number(let text): output += text.utf8
            case .string(let text): write(text)
            case .array(let values) where keepsPairsTogether && values.count <= 2 && values.allSatisfy({ $0.string != nil }):
                output.append(UInt8(ascii: "["))
                for (index, value) in values.enumerated() {
                    if index > 0 { output += ", ".utf8 }
                    write(value, depth: depth)
                }
                output.append(UInt8(ascii: "]"))
            case .array(let values):
                writeList(values, "[", "]", depth: depth) { $0.write($1, depth: depth + 1) }
            case .object(let members):
                writeList(members, "{", "}", depth: depth) { writer, member in
                    writer.write(member.key)
                    writer.output += ": ".utf8
                    writer.write(member.value, depth: depth + 1)
                }
            }
        }

        private mutating func writeList<Element>(
            _ elements: [Element], _ open: Unicode.Scalar, _ close: Unicode.Scalar, depth: Int, _ body: (inout Writer, Element) -> Void
        ) {
            output.append(UInt8(ascii: open))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                beginLine(depth + 1)
                body(&self, element)
            }
            if !elements.isEmpty { beginLine(depth) }
            output.append(UInt8(ascii: close))
        }

        private mutating func beginLine(_ depth: Int) {
            output.append(UInt8(ascii: "\n"))
            output += repeatElement(UInt8(ascii: " "), count: 2 * depth)
        }

        mutating func write(_ text: String) {
            output.append(UInt8(ascii: "\""))
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "\""): output += #"\""#.utf8
                case UInt8(ascii: "\\"): output += #"\\"#.utf8
                case UInt8(ascii: "\n"): output += #"\n"#.utf8
                case UInt8(ascii: "\r"): output += #"\r"#.utf8
                case UInt8(ascii: "\t"): output += #"\t"#.utf8
                case 0x08: output += #"\b"#.utf8
                case 0x0C: output += #"\f"#.utf8
                case ..<0x20: output += (#"\u00"# + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)).utf8
                default: output.append(byte)
                }
            }
            output.append(UInt8(ascii: "\""))
        }
    }
}
