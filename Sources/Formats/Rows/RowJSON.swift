/// Parses the JSON of rows and reports errors in one line with the problem, the column and the key.
///
/// `NaN` and infinities, which Python writes, are parsed as numbers: an unused key may contain one, and code that reads the key
/// reports it.
package enum RowJSON {
    /// Parses the JSON value of a row.
    /// - Throws: `RowProblem.malformed` or `invalidUTF8`.
    package static func value(_ bytes: [UInt8]) throws(RowProblem) -> JSONValue {
        do {
            return try JSONValue(parsing: bytes, [.byteOrderMark, .repeatedKeys, .hugeNumbers])
        } catch {
            guard String(validating: bytes, as: UTF8.self) != nil else { throw .invalidUTF8 }
            let fault = error as? JSONError
            throw .malformed("not JSON: \(reason(fault, of: bytes)) (\(excerpt(bytes)))")
        }
    }

    /// The first JSON error in a text; nil if it is valid apart from NaN or Inf.
    static func problem(in bytes: [UInt8]) -> RowProblem? {
        do throws(RowProblem) {
            _ = try value(bytes)
            return nil
        } catch {
            return error
        }
    }

    /// The first bytes of a row, for error messages.
    static func excerpt(_ bytes: [UInt8]) -> String {
        let start = String(decoding: bytes.prefix(40), as: UTF8.self)
        return "\"" + OneLine.escaped(start) + (bytes.count > 40 ? "…\"" : "\"")
    }

    /// The kind of an unexpected value, for error messages.
    package static func kind(_ value: JSONValue) -> String {
        guard case .number(let text) = value, let number = Double(text), !number.isFinite else { return value.kind }
        return shown(number)
    }

    /// A number, for error messages.
    package static func shown(_ number: Double) -> String {
        number.isFinite ? "\(number)" : number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
    }

    /// The first NaN or infinity in a value, and the path to it.
    static func nonFinite(in value: JSONValue) -> (field: String, number: String)? {
        switch value {
        case .number(let text):
            guard let number = Double(text), !number.isFinite else { return nil }
            return ("", shown(number))
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

    /// The first few numbers in a value that are not integers or do not fit an `Int`, and the paths to them.
    static func notWhole(in value: JSONValue) -> [(field: String, number: String)] {
        let parts: [(String, JSONValue)]
        switch value {
        case .number(let text): return value.integer != nil ? [] : Double(text).map { [("", shown($0))] } ?? []
        case .array(let elements): parts = elements.enumerated().map { ("\($0.offset)", $0.element) }
        case .object(let members): parts = members.map { ($0.key, $0.value) }
        default: return []
        }
        return Array(parts.lazy.flatMap { name, part in notWhole(in: part).map { (joined(name, $0.field), $0.number) } }.prefix(3))
    }

    private static func joined(_ name: String, _ path: String) -> String { path.isEmpty ? name : name + "." + path }

    private static func reason(_ fault: JSONError?, of bytes: [UInt8]) -> String {
        guard let fault else { return "it cannot be parsed" }
        let path = pathToFault(of: bytes)
        let key = path.isEmpty ? "" : ", in \(OneLine.quoted(path.joined(separator: ".")))"
        let first = bytes.first { !OneLine.isSpace($0) }
        if fault.reason.hasPrefix("the text ends"), first == UInt8(ascii: "{"), !bytes.contains(0x0a) {
            return "\(fault.reason)\(key): each row must be on one line; objects that span several lines are read from .json files"
        }
        let place = fault.line == 1 ? "column \(fault.column)" : "line \(fault.line) of the row, column \(fault.column)"
        return "\(fault.reason), at \(place)\(key)"
    }

    /// The path of keys and indices to the first error in a text.
    private static func pathToFault(of bytes: [UInt8]) -> [String] {
        var path: [String] = []
        func walk(_ scanner: inout JSONScanner) throws {
            switch scanner.peek() {
            case UInt8(ascii: "{"):
                try scanner.object(allowsRepeatedKeys: true) { key, scanner in
                    path.append(key)
                    try walk(&scanner)
                    path.removeLast()
                }
            case UInt8(ascii: "["):
                var count = 0
                try scanner.array { scanner in
                    path.append("\(count)")
                    try walk(&scanner)
                    path.removeLast()
                    count += 1
                }
            default: try scanner.skipValue()
            }
        }
        var scanner = JSONScanner(bytes, allowsMark: true)
        try? walk(&scanner)
        return path
    }
}
