public import Formats

/// One row of a data file in any format: values by field path.
///
/// A path such as `info.post` or `summaries.0.text` names a column of exactly that name or, if there is none, a nested
/// value: each dot steps into an object or an array. CSV cells that contain JSON can be stepped into as well.
public struct Record: Sendable {
    private let value: JSONValue
    /// Whether all values are texts, as in CSV. Numbers are then parsed from texts, and an empty text may count as
    /// missing.
    private let isUntyped: Bool
    /// Fields that are optional; a missing one is read as an empty text.
    private let mayLack: Set<String>

    private init(value: JSONValue, isUntyped: Bool, mayLack: Set<String>) {
        self.value = value
        self.isUntyped = isUntyped
        self.mayLack = mayLack
    }

    /// Creates a record from a row of a JSON file.
    /// - Throws: `RowProblem` if the bytes are not one JSON object in UTF-8.
    init(json bytes: [UInt8], mayLack: Set<String> = []) throws(RowProblem) {
        let value = try RowJSON.value(bytes)
        guard case .object = value else { throw .malformed("expected a JSON object, found \(value.kind)") }
        self.init(value: value, isUntyped: false, mayLack: mayLack)
    }

    /// Creates a record from a row of a CSV file. Columns without a name are ignored.
    init(columns: [String], cells: [String], mayLack: Set<String> = []) {
        let members = zip(columns, cells).filter { !$0.0.isEmpty }
        self.init(
            value: .object(members.map { JSONValue.Member($0.0, .string($0.1)) }), isUntyped: true,
            mayLack: mayLack)
    }

    /// Whether the field is present and not null (in CSV: not empty).
    /// - Throws: `RowProblem.malformed` if a CSV cell on the path is not JSON.
    public func has(_ path: String) throws(RowProblem) -> Bool { try optionalText(at: find(path)) != nil }

    /// The text of a field.
    /// - Throws: `RowProblem.missingField` or `wrongType`.
    public func text(_ path: String) throws(RowProblem) -> String {
        guard let found = try find(path) else {
            if mayLack.contains(path) { return "" }
            throw .missingField(path)
        }
        guard let text = found.string else {
            throw .wrongType(field: path, expected: "a string", got: RowJSON.kind(found))
        }
        return text
    }

    /// The text of a field; nil if it is missing or null (in CSV: or empty).
    /// - Throws: `RowProblem.wrongType`.
    public func optionalText(_ path: String) throws(RowProblem) -> String? {
        guard let found = try find(path) else { return nil }
        guard let text = found.string else {
            throw .wrongType(field: path, expected: "a string", got: RowJSON.kind(found))
        }
        return isUntyped && text.isEmpty ? nil : text
    }

    /// An identifier: a text, or an integer as text. Nil if the field is missing, null or empty.
    /// - Throws: `RowProblem.wrongType`.
    public func identifier(_ path: String) throws(RowProblem) -> String? {
        guard let found = try find(path) else { return nil }
        if let number = found.integer { return String(number) }
        guard let text = found.string else {
            throw .wrongType(field: path, expected: "a string", got: RowJSON.kind(found))
        }
        return text.isEmpty ? nil : text
    }

    /// An integer. `1.0` is accepted as one, and so is its text in CSV.
    /// - Throws: `RowProblem.missingField` or `wrongType`.
    public func integer(_ path: String) throws(RowProblem) -> Int {
        guard let found = try find(path) else { throw .missingField(path) }
        switch found {
        case .number(let text):
            if let whole = found.int { return whole }
            throw .wrongType(field: path, expected: "a whole number", got: RowJSON.shown(Double(text) ?? .nan))
        case .string(let text) where isUntyped:
            if let number = Int(text) ?? Double(text).flatMap(Int.init(exactly:)) { return number }
            if text.isEmpty { throw .missingField(path) }
            throw .wrongType(field: path, expected: "a whole number", got: OneLine.quoted(text, limit: 40))
        default:
            throw .wrongType(field: path, expected: "a whole number", got: RowJSON.kind(found))
        }
    }

    /// The texts of a field that holds a text or a list of texts.
    /// - Throws: `RowProblem.missingField` or `wrongType`.
    package func texts(_ path: String) throws(RowProblem) -> [String] {
        guard let found = member(path) else { throw .missingField(path) }
        if let text = found.string { return [text] }
        var texts: [String] = []
        for element in found.array ?? [] {
            guard let text = element.string else {
                throw .wrongType(field: path, expected: "a string or a list of strings", got: "a list with \(RowJSON.kind(element))")
            }
            texts.append(text)
        }
        guard found.array != nil else {
            throw .wrongType(field: path, expected: "a string or a list of strings", got: RowJSON.kind(found))
        }
        return texts
    }

    /// The numbers of a field that holds a number or a list of numbers; empty if the field is missing or null.
    /// - Throws: `RowProblem.wrongType`, also for a number that is not finite.
    package func numbers(_ path: String) throws(RowProblem) -> [Double] {
        guard let found = member(path) else { return [] }
        if case .null = found { return [] }
        var numbers: [Double] = []
        for element in found.array ?? [found] {
            guard let number = element.double else {
                let shown = found.array == nil ? RowJSON.kind(element) : "a list with \(RowJSON.kind(element))"
                throw .wrongType(field: path, expected: "a number or a list of numbers", got: shown)
            }
            numbers.append(number)
        }
        return numbers
    }

    /// The numbers of a field as ``numbers(_:)``, with nil for each null in a list.
    /// - Throws: `RowProblem.wrongType`.
    package func sparseNumbers(_ path: String) throws(RowProblem) -> [Double?] {
        guard let list = member(path)?.array else { return try numbers(path) }
        var numbers: [Double?] = []
        for element in list {
            if case .null = element {
                numbers.append(nil)
            } else if let number = element.double {
                numbers.append(number)
            } else {
                throw .wrongType(field: path, expected: "a number or a list of numbers", got: "a list with \(RowJSON.kind(element))")
            }
        }
        return numbers
    }

    /// A Boolean: true or false, 1 or 0; in CSV the texts of these.
    /// - Throws: `RowProblem.missingField` or `wrongType`.
    public func boolean(_ path: String) throws(RowProblem) -> Bool {
        guard let found = try find(path) else { throw .missingField(path) }
        if let bool = found.bool { return bool }
        if let number = found.int, number == 0 || number == 1 { return number == 1 }
        let text = found.string ?? ""
        if isUntyped, text.isEmpty { throw .missingField(path) }
        if isUntyped, let bool = ["true": true, "1": true, "false": false, "0": false][text.lowercased()] { return bool }
        let got = isUntyped || found.int != nil ? OneLine.quoted(Self.plain(found), limit: 40) : RowJSON.kind(found)
        throw .wrongType(field: path, expected: "true or false", got: got)
    }

    /// The text of a field that holds a text, a number or a Boolean.
    /// - Throws: `RowProblem.missingField` or `wrongType`.
    public func scalar(_ path: String) throws(RowProblem) -> String {
        guard let found = try find(path) else { throw .missingField(path) }
        if let text = found.string { return text }
        guard found.array == nil, found.members == nil else {
            throw .wrongType(field: path, expected: "a string or a number", got: RowJSON.kind(found))
        }
        return Self.plain(found)
    }

    /// The text of a text, a number or a Boolean, as it is written.
    private static func plain(_ value: JSONValue) -> String {
        switch value {
        case .number(let text), .string(let text): text
        case .bool(let value): value ? "true" : "false"
        default: ""
        }
    }

    /// The names of the columns, in order.
    package var columnNames: [String] { (value.members ?? []).map(\.key) }

    /// Whether the column exists and is null (in CSV: empty).
    package func isNull(_ name: String) -> Bool {
        guard let found = value[name] else { return false }
        return found.unlessNull == nil || (isUntyped && found.string == "")
    }

    /// Whether the row has the field, even if it is null.
    package func names(_ path: String) -> Bool { member(path) != nil }

    /// The value of the column with exactly this name, which may be null. If the name is repeated, the last column
    /// counts.
    private func member(_ name: String) -> JSONValue? {
        value[name]
    }

    /// The value at a path, which in CSV is parsed from the cell; nil if it is missing or null.
    /// - Throws: `RowProblem.malformed` if a CSV cell is not JSON.
    func json(_ path: String) throws(RowProblem) -> JSONValue? {
        guard let found = try find(path) else { return nil }
        guard isUntyped, let cell = found.string else { return found }
        return cell.isEmpty ? nil : try Self.parse(cell: cell, column: path)
    }

    /// Whether the value at a path is a list.
    /// - Throws: `RowProblem.malformed` if a CSV cell on the path is not JSON.
    func holdsList(_ path: String) throws(RowProblem) -> Bool {
        guard let found = try find(path) else { return false }
        if isUntyped, let cell = found.string {
            return cell.first { !$0.isWhitespace } == "[" && (try? Self.parse(cell: cell, column: path))?.array != nil
        }
        return found.array != nil
    }

    /// The number of elements of the array at a path; nil if there is no array.
    /// - Throws: `RowProblem.malformed` if a CSV cell on the path is not JSON.
    public func count(_ path: String) throws(RowProblem) -> Int? {
        guard var found = try find(path) else { return nil }
        if isUntyped, let cell = found.string { found = try Self.parse(cell: cell, column: path) }
        return found.array?.count
    }

    // MARK: Paths

    /// The value; nil if it counts as missing in CSV because it is empty.
    private func optionalText(at found: JSONValue?) throws(RowProblem) -> JSONValue? {
        if isUntyped, let text = found?.string, text.isEmpty { return nil }
        return found
    }

    /// The value at a path; nil if it is missing or null.
    private func find(_ path: String) throws(RowProblem) -> JSONValue? { try find(path[...], in: value, at: "") }

    private func find(_ path: Substring, in value: JSONValue, at parent: String) throws(RowProblem) -> JSONValue? {
        if let direct = Self.child(String(path), of: value) { return direct }
        guard let point = path.firstIndex(of: "."), var inner = Self.child(String(path[..<point]), of: value) else {
            return nil
        }
        let name = parent + path[..<point]
        if isUntyped, let cell = inner.string {
            if cell.isEmpty { return nil }
            inner = try Self.parse(cell: cell, column: name)
        }
        return try find(path[path.index(after: point)...], in: inner, at: name + ".")
    }

    /// The member or element with the given name or index; nil if it is missing or null.
    private static func child(_ name: String, of value: JSONValue) -> JSONValue? {
        guard let elements = value.array else { return value[name]?.unlessNull }
        guard let index = Int(name), elements.indices.contains(index) else { return nil }
        return elements[index].unlessNull
    }

    /// Parses the JSON in a CSV cell.
    private static func parse(cell: String, column: String) throws(RowProblem) -> JSONValue {
        do {
            return try RowJSON.value(Array(cell.utf8))
        } catch {
            throw .malformed(
                "the nested values of column \(OneLine.quoted(column)) are not JSON; write files with nested columns as JSON Lines"
            )
        }
    }
}
