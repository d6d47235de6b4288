import Formats

/// Reads the JSON of rows, and says in one line what is wrong with it: what, at which column, in which key.
///
/// `NaN` and infinities, which Python writes, are read as numbers: a key that nobody asks for may hold one, and a reader that asks for the
/// key names it.
enum RowJSON {
    /// The value of a row.
    /// - Throws: `RowProblem.malformed`, `invalidUTF8`.
    static func value(_ bytes: [UInt8]) throws(RowProblem) -> OrderedJSON {
        var walk = Walk()
        do {
            var scanner = JSONScanner(bytes, allowsMark: true)
            let value = try walk.value(&scanner)
            try scanner.end()
            return value
        } catch {
            guard String(validating: bytes, as: UTF8.self) != nil else { throw .invalidUTF8 }
            let fault = error as? JSONError
            throw .malformed("not JSON: \(reason(fault, in: walk.path, of: bytes)) (\(excerpt(bytes)))")
        }
    }

    /// What is wrong with a text as JSON; nil where it is sound, or holds nothing worse than numbers that are not finite.
    static func problem(in bytes: [UInt8]) -> RowProblem? {
        do throws(RowProblem) {
            _ = try value(bytes)
            return nil
        } catch {
            return error
        }
    }

    /// The beginning of a row, for messages.
    static func excerpt(_ bytes: [UInt8]) -> String {
        let start = String(decoding: bytes.prefix(40), as: UTF8.self)
        return "\"" + OneLine.escaped(start) + (bytes.count > 40 ? "…\"" : "\"")
    }

    /// How a message names a value that was not expected.
    static func kind(_ value: OrderedJSON) -> String {
        guard case .number(let number) = value, !number.isFinite else { return value.kind }
        return shown(number)
    }

    /// A number as a message shows it.
    static func shown(_ number: Double) -> String {
        number.isFinite ? "\(number)" : number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
    }

    /// The first number of a value that is not finite, and the path to it.
    static func nonFinite(in value: OrderedJSON) -> (field: String, number: String)? {
        switch value {
        case .number(let number): return number.isFinite ? nil : ("", shown(number))
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                if let (path, number) = nonFinite(in: element) { return (joined("\(index)", path), number) }
            }
        case .object(let members):
            for member in members {
                if let (path, number) = nonFinite(in: member.value) { return (joined(member.key, path), number) }
            }
        default: break
        }
        return nil
    }

    /// The first few numbers of a value that are not whole, or too large for an integer, and the paths to them.
    static func notWhole(in value: OrderedJSON) -> [(field: String, number: String)] {
        let parts: [(String, OrderedJSON)]
        switch value {
        case .number(let number): return [("", shown(number))]
        case .array(let elements): parts = elements.enumerated().map { ("\($0.offset)", $0.element) }
        case .object(let members): parts = members.map { ($0.key, $0.value) }
        default: return []
        }
        return Array(parts.lazy.flatMap { name, part in notWhole(in: part).map { (joined(name, $0.field), $0.number) } }.prefix(3))
    }

    private static func joined(_ name: String, _ path: String) -> String { path.isEmpty ? name : name + "." + path }

    private static func reason(_ fault: JSONError?, in path: [String], of bytes: [UInt8]) -> String {
        guard let fault else { return "it cannot be read" }
        let key = path.isEmpty ? "" : ", in \(OneLine.quoted(path.joined(separator: ".")))"
        let first = bytes.first { !OneLine.isSpace($0) }
        if fault.reason.hasPrefix("the text ends"), first == UInt8(ascii: "{"), !bytes.contains(0x0a) {
            return "\(fault.reason)\(key): one row is one line; an object that goes over several lines is read from a file named .json"
        }
        let place = fault.line == 1 ? "column \(fault.column)" : "line \(fault.line) of the row, column \(fault.column)"
        return "\(fault.reason), at \(place)\(key)"
    }

    private struct Walk {
        /// The keys and numbers of elements that lead to the value that is being read.
        var path: [String] = []

        mutating func value(_ scanner: inout JSONScanner) throws -> OrderedJSON {
            switch scanner.peek() {
            case UInt8(ascii: "{"):
                var members: [OrderedJSON.Member] = []
                try scanner.object(allowsRepeatedKeys: true) { key, scanner in
                    path.append(key)
                    members.append(OrderedJSON.Member(key: key, value: try value(&scanner)))
                    path.removeLast()
                }
                return .object(members)
            case UInt8(ascii: "["):
                var elements: [OrderedJSON] = []
                try scanner.array { scanner in
                    path.append("\(elements.count)")
                    elements.append(try value(&scanner))
                    path.removeLast()
                }
                return .array(elements)
            case UInt8(ascii: "\""):
                return .string(try scanner.string())
            default:
                if let word = scanner.nonFiniteNumber() {
                    return .number(word == "NaN" ? .nan : word == "Infinity" ? .infinity : -.infinity)
                }
                return try number(&scanner)
            }
        }

        private func number(_ scanner: inout JSONScanner) throws -> OrderedJSON {
            switch scanner.peek() {
            case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
                let text = try scanner.numberText()
                if let integer = Int(text) { return .integer(integer) }
                guard let number = Double(text) else { throw scanner.error("\(text.prefix(40)) is no number") }
                return .number(number)
            default: return try scanner.word().map { .bool($0) } ?? .null
            }
        }
    }
}
