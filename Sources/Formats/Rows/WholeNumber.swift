/// Decoding of integers in rows. Values that are not integers or are out of range are reported with their field.
package enum WholeNumber {
    /// A range in words.
    static func words(_ range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "a whole number of 64 bits"
        case (let least, .max): "a whole number of at least \(least)"
        case (let least, let most): "a whole number from \(least) to \(most)"
        }
    }

    /// Decodes an integer.
    /// - Parameters:
    ///   - path: The path of the field.
    ///   - range: The valid range.
    ///   - integer: Decodes the value as an integer.
    ///   - number: Decodes the value as a floating-point number, for the error message.
    fileprivate static func read(
        _ path: [any CodingKey], in range: ClosedRange<Int>, integer: () throws -> Int, number: () throws -> Double
    ) throws -> Int {
        func wrong(_ got: String) -> RowProblem {
            let field = path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
            return .wrongNumber(field: field, expected: words(range), got: got)
        }
        let value: Int
        do {
            value = try integer()
        } catch let error as DecodingError {
            guard case .dataCorrupted = error else { throw error }
            throw wrong((try? number()).map(RowJSON.shown) ?? "a number that is out of range")
        } catch {
            // only outside this function does the decoder add the location to its own errors
            throw wrong((try? number()).map(RowJSON.shown) ?? "a number that is out of range")
        }
        guard range.contains(value) else { throw wrong("\(value)") }
        return value
    }
}

extension KeyedDecodingContainer {
    /// Decodes an integer in a range.
    /// - Throws: `DecodingError`; `RowProblem.wrongNumber`.
    package func wholeNumber(in range: ClosedRange<Int> = .min ... .max, forKey key: Key) throws -> Int {
        try WholeNumber.read(
            codingPath + [key], in: range, integer: { try decode(Int.self, forKey: key) }, number: { try decode(Double.self, forKey: key) })
    }

    /// Decodes a list of integers in a range.
    /// - Throws: `DecodingError`; `RowProblem.wrongNumber`.
    package func wholeNumbers(in range: ClosedRange<Int> = .min ... .max, forKey key: Key) throws -> [Int] {
        var list = try nestedUnkeyedContainer(forKey: key)
        var numbers: [Int] = []
        while !list.isAtEnd {
            var copy = list
            numbers.append(
                try WholeNumber.read(
                    codingPath + [key, Place(intValue: numbers.count)], in: range, integer: { try list.decode(Int.self) },
                    number: { try copy.decode(Double.self) }))
        }
        return numbers
    }
}

/// The index of an array element as a coding key.
private struct Place: CodingKey {
    let intValue: Int?
    let stringValue: String

    init(intValue: Int) {
        self.intValue = intValue
        stringValue = "\(intValue)"
    }

    init?(stringValue: String) { nil }
}
