extension OrderedJSON {
    /// This value as UTF-8 JSON text, indented by two spaces per level, with a newline at the end.
    func serialised() -> [UInt8] {
        var output: [UInt8] = []
        write(to: &output, depth: 0)
        output.append(UInt8(ascii: "\n"))
        return output
    }

    private func write(to output: inout [UInt8], depth: Int) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let value) where value.isNaN: output.append(contentsOf: "NaN".utf8)
        case .number(let value) where value.isInfinite:
            output.append(contentsOf: (value < 0 ? "-Infinity" : "Infinity").utf8)
        case .number(let value): output.append(contentsOf: String(value).utf8)
        case .string(let value): Self.write(value, to: &output)
        case .array(let elements) where elements.allSatisfy({ $0.string != nil }) && elements.count <= 2:
            // Merges and the like: one line each keeps the file readable.
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(contentsOf: ", ".utf8) }
                element.write(to: &output, depth: depth)
            }
            output.append(UInt8(ascii: "]"))
        case .array(let elements):
            Self.writeList(elements, brackets: "[]", depth: depth, to: &output) { $0.write(to: &$1, depth: depth + 1) }
        case .object(let members):
            Self.writeList(members, brackets: "{}", depth: depth, to: &output) { member, output in
                Self.write(member.key, to: &output)
                output.append(contentsOf: ": ".utf8)
                member.value.write(to: &output, depth: depth + 1)
            }
        }
    }

    private static func writeList<Element>(
        _ elements: [Element], brackets: StaticString, depth: Int, to output: inout [UInt8],
        _ body: (Element, inout [UInt8]) -> Void
    ) {
        output.append(brackets.utf8Start[0])
        for (index, element) in elements.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            newLine(depth: depth + 1, to: &output)
            body(element, &output)
        }
        if !elements.isEmpty { newLine(depth: depth, to: &output) }
        output.append(brackets.utf8Start[1])
    }

    private static func newLine(depth: Int, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\n"))
        for _ in 0..<depth * 2 { output.append(UInt8(ascii: " ")) }
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): output.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): output.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): output.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): output.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): output.append(contentsOf: "\\t".utf8)
            case ..<0x20, 0x7F:
                let digits = String(byte, radix: 16)
                output.append(contentsOf: ("\\u00" + (digits.count == 1 ? "0" : "") + digits).utf8)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
