extension JinjaRenderer {
    /// `str(value)`: the text that a template writes for a value.
    func string(_ value: JinjaValue) throws -> String {
        switch value {
        case .string(let text): return text
        case .undefined: return ""
        default: return try representation(value)
        }
    }

    /// `repr(value)`.
    func representation(_ value: JinjaValue) throws -> String {
        try step()
        switch value {
        case .undefined: return "Undefined"
        case .none: return "None"
        case .bool(let value): return value ? "True" : "False"
        case .int(let value): return String(value)
        case .float(let value): return PythonText.text(value)
        case .string(let text):
            try chargeScan(text)
            return PythonText.quoted(text)
        case .list(let sequence): return try "[" + joined(sequence.values) + "]"
        case .tuple(let sequence): return try "(" + joined(sequence.values) + (sequence.values.count == 1 ? ",)" : ")")
        case .dict(let dict):
            let members = try dict.members.map { try representation($0.key) + ": " + representation($0.value) }
            try charge(members.reduce(0) { $0 + $1.utf8.count })
            return "{" + members.joined(separator: ", ") + "}"
        case .range(let start, let stop, _, let step):
            return "range(\(start), \(stop)" + (step == 1 ? ")" : ", \(step))")
        case .view(let name, let sequence): return try "\(name)([" + joined(sequence.values) + "])"
        case .namespace(let namespace): return "<Namespace " + (try representation(.dict(namespace.attributes))) + ">"
        case .loop(let loop): return "<LoopContext \(loop.index + 1)/\(loop.items.count)>"
        case .macro(let macro): return "<Macro \(PythonText.quoted(macro.definition.name))>"
        case .generator, .cycler, .function, .method:
            throw unsupported("a \(value.typeName) cannot be written as text; apply a filter such as list, or call it")
        }
    }

    private func joined(_ values: [JinjaValue]) throws -> String {
        let parts = try values.map { try representation($0) }
        try charge(parts.reduce(0) { $0 + $1.utf8.count })
        return parts.joined(separator: ", ")
    }

    // MARK: JSON

    /// The formatting options of `json`.
    struct JSONStyle {
        var escapesNonASCII = false
        var sortsKeys = false
        /// The indentation of each nesting level; nil writes everything on one line.
        var indent: String?
        var itemSeparator: String
        var keySeparator = ": "
    }

    /// `json.dumps` of a value.
    func json(_ value: JinjaValue, _ style: JSONStyle) throws -> String {
        var output = ""
        try writeJSON(value, style, level: 0, to: &output)
        return output
    }

    private func writeJSON(_ value: JinjaValue, _ style: JSONStyle, level: Int, to output: inout String) throws {
        try step()
        switch value {
        case .none: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .int(let value): output += String(value)
        case .float(let value): output += Self.jsonText(value)
        case .string(let text): try writeJSON(text, style, to: &output)
        case .list(let sequence), .tuple(let sequence):
            try writeJSON("[", "]", sequence.values, style, level, &output) { element, output in
                try writeJSON(element, style, level: level + 1, to: &output)
            }
        case .dict(let dict):
            var members = dict.members
            if style.sortsKeys { members = try sorted(members, by: { try isOrdered($0.key, $1.key, "<") }) }
            try writeJSON("{", "}", members, style, level, &output) { member, output in
                try writeJSON(jsonKey(member.key), style, to: &output)
                output += style.keySeparator
                try writeJSON(member.value, style, level: level + 1, to: &output)
            }
        case .undefined(let reason): throw fault("\(reason) and cannot be written as JSON")
        default: throw fault("a \(value.typeName) cannot be written as JSON")
        }
        try charge(8)
    }

    private func writeJSON<Element>(
        _ open: String, _ close: String, _ elements: [Element], _ style: JSONStyle, _ level: Int, _ output: inout String,
        _ write: (Element, inout String) throws -> Void
    ) throws {
        output += open
        guard !elements.isEmpty else {
            output += close
            return
        }
        func line(_ level: Int) throws -> String {
            guard let indent = style.indent else { return "" }
            try charge(indent.utf8.count * level)
            return "\n" + String(repeating: indent, count: level)
        }
        for (index, element) in elements.enumerated() {
            if index > 0 { output += style.itemSeparator }
            output += try line(level + 1)
            try charge(style.itemSeparator.utf8.count + style.keySeparator.utf8.count)
            try write(element, &output)
        }
        output += try line(level) + close
    }

    private func jsonKey(_ key: JinjaValue) throws -> String {
        switch key {
        case .string(let text): return text
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        case .float(let value): return Self.jsonText(value)
        default: throw fault("a \(key.typeName) cannot be a JSON key")
        }
    }

    private static func jsonText(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : PythonText.text(value)
    }

    private func writeJSON(_ text: String, _ style: JSONStyle, to output: inout String) throws {
        try chargeScan(text)
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\u{8}": output += "\\b"
            case "\u{C}": output += "\\f"
            case _ where scalar.value < 0x20 || (style.escapesNonASCII && scalar.value > 0x7E):
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }

    // MARK: Order

    /// Stable sort with a comparison that may throw.
    func sorted<Element>(_ elements: [Element], by isBefore: (Element, Element) throws -> Bool) throws -> [Element] {
        try charge(elements.count * 16)
        return try elements.enumerated().sorted { first, second in
            if try isBefore(first.element, second.element) { return true }
            return try isBefore(second.element, first.element) ? false : first.offset < second.offset
        }.map(\.element)
    }
}
