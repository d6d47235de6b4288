import Foundation

/// The `%` operator and the `format` method of strings, for the common conversions.
extension JinjaRenderer {
    /// `format % value`.
    func formatted(_ format: String, _ value: JinjaValue) throws -> String {
        var arguments: ArraySlice<JinjaValue>
        var mapping: JinjaDict?
        var mayBeUnused = false
        switch value {
        case .tuple(let sequence): arguments = sequence.values[...]
        case .dict(let dict):
            mapping = dict
            arguments = [value]
        case .list, .range:
            arguments = [value]
            mayBeUnused = true
        default: arguments = [value]
        }
        var output = ""
        var rest = format.unicodeScalars[...]
        var usedMapping = false
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                output.unicodeScalars.append(scalar)
                continue
            }
            if rest.first == "%" {
                rest.removeFirst()
                output += "%"
                continue
            }
            var argument: JinjaValue?
            if rest.first == "(" {
                guard let mapping else { throw fault("the format requires a mapping") }
                guard let end = rest.firstIndex(of: ")") else { throw fault("a format has an incomplete key") }
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                rest = rest[rest.index(after: end)...]
                argument = mapping[name]
                if argument == nil { throw fault("the format has no value for \(OneLine.quoted(name))") }
                usedMapping = true
            }
            var spec = FormatSpec()
            try spec.readPercent(&rest, self)
            guard let argument = argument ?? arguments.popFirst() else { throw fault("a format has too few arguments") }
            output += try formatted(argument, spec)
            try charge(output.utf8.count / 8)
        }
        if !arguments.isEmpty, mapping == nil, !usedMapping, !mayBeUnused { throw fault("a format has too many arguments") }
        return output
    }

    struct FormatSpec {
        var flags: Set<Unicode.Scalar> = []
        var width = 0
        var precision: Int?
        var kind: Unicode.Scalar = "s"

        mutating func readPercent(_ rest: inout Substring.UnicodeScalarView, _ renderer: JinjaRenderer) throws {
            while let flag = rest.first, "-+ 0#".unicodeScalars.contains(flag) {
                flags.insert(flag)
                rest.removeFirst()
            }
            width = try Self.number(&rest, renderer) ?? 0
            if rest.first == "." {
                rest.removeFirst()
                precision = try Self.number(&rest, renderer) ?? 0
            }
            guard let kind = rest.popFirst() else { throw renderer.fault("a format is incomplete") }
            guard "sdifreEgxXoc".unicodeScalars.contains(kind) else {
                throw renderer.unsupported("the format \(OneLine.quoted("%" + String(kind))) is not supported")
            }
            self.kind = kind
        }

        static func number(_ rest: inout Substring.UnicodeScalarView, _ renderer: JinjaRenderer) throws -> Int? {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            if digits.isEmpty { return nil }
            rest = rest.dropFirst(digits.count)
            guard let number = Int(String(digits)), number <= 10_000 else { throw renderer.fault("the width of a format is too large") }
            return number
        }
    }

    private func formatted(_ value: JinjaValue, _ spec: FormatSpec) throws -> String {
        var text: String
        var isNumber = true
        switch spec.kind {
        case "s", "r":
            text = try spec.kind == "s" ? string(value) : representation(value)
            if let precision = spec.precision { text = String(String.UnicodeScalarView(text.unicodeScalars.prefix(precision))) }
            isNumber = false
        case "d", "i":
            guard let number = value.number, number.magnitude < 9e18 else {
                throw fault("the format %d needs a number, not a \(value.typeName)")
            }
            text = String(value.wholeNumber ?? Int(number))
        case "x", "X", "o":
            guard let whole = value.wholeNumber else {
                throw fault("the format %\(spec.kind) needs a whole number, not a \(value.typeName)")
            }
            text = String(whole, radix: spec.kind == "o" ? 8 : 16, uppercase: spec.kind == "X")
        case "f", "e", "E", "g":
            guard let number = value.number else { throw fault("the format %\(spec.kind) needs a number, not a \(value.typeName)") }
            text = String(format: "%.\(min(spec.precision ?? 6, 400))\(spec.kind)", number)
        default: throw unsupported("the format \"%\(spec.kind)\" is not supported")
        }
        if isNumber, !text.hasPrefix("-") {
            if spec.flags.contains("+") { text = "+" + text } else if spec.flags.contains(" ") { text = " " + text }
        }
        let missing = spec.width - PythonText.count(text)
        guard missing > 0 else { return text }
        if spec.flags.contains("-") { return text + String(repeating: " ", count: missing) }
        if isNumber, spec.flags.contains("0") {
            let sign = text.prefix { "+- ".contains($0) }
            return sign + String(repeating: "0", count: missing) + text.dropFirst(sign.count)
        }
        return String(repeating: " ", count: missing) + text
    }

    /// `format.format(…)` with simple replacement fields.
    func braced(_ format: String, _ arguments: JinjaCallArguments) throws -> String {
        var output = ""
        var rest = format.unicodeScalars[...]
        var next = 0
        while let scalar = rest.popFirst() {
            if scalar == "{" || scalar == "}", rest.first == scalar {
                rest.removeFirst()
                output.unicodeScalars.append(scalar)
                continue
            }
            guard scalar != "}" else { throw fault("a format has an unmatched '}'") }
            guard scalar == "{" else {
                output.unicodeScalars.append(scalar)
                continue
            }
            guard let end = rest.firstIndex(of: "}") else { throw fault("a format has an unmatched '{'") }
            let field = String(rest[..<end])
            rest = rest[rest.index(after: end)...]
            var value: JinjaValue?
            if field.isEmpty || field.allSatisfy(\.isNumber) {
                let place = field.isEmpty ? next : Int(field) ?? .max
                if field.isEmpty { next += 1 }
                value = arguments.positional.indices.contains(place) ? arguments.positional[place] : nil
            } else if field.unicodeScalars.allSatisfy(PythonText.isWord) {
                value = arguments.keywords.first { $0.name == field }?.value
            } else {
                throw unsupported("the field \(OneLine.quoted(field, limit: 40)) of a format is not supported")
            }
            guard let value else { throw fault("the format has no value for \(OneLine.quoted(field, limit: 40))") }
            output += try string(value)
            try charge(output.utf8.count / 8)
        }
        return output
    }
}
