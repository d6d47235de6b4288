/// Whole numbers of rows: what is none, or out of range, is said with its field.
package enum WholeNumber {
    /// The range in words.
    static func words(_ range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "a whole number of 64 bits"
        case (let least, .max): "a whole number of at least \(least)"
        case (let least, let most): "a whole number from \(least) to \(most)"
        }
    }

    /// A number from a decoder.
    /// - Parameters:
    ///   - integer: decodes it as what it must be.
    ///   - number: decodes it as any number.
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
            throw wrong((try? number()).map(RowJSON.shown) ?? "a number beyond all numbers")
        } catch {
            // the decoder's own errors have their place only after they have left it
            throw wrong((try? number()).map(RowJSON.shown) ?? "a number beyond all numbers")
        }
        guard range.contains(value) else { throw wrong("\(value)") }
        return value
    }
}

extension KeyedDecodingContainer {
    /// A whole number in a range.
    /// - Throws: `DecodingError`; `RowProblem.wrongNumber`.
    package func wholeNumber(in range: ClosedRange<Int> = .min ... .max, forKey key: Key) throws -> Int {
        try WholeNumber.read(
            codingPath + [key], in: range, integer: { try decode(Int.self, forKey: key) }, number: { try decode(Double.self, forKey: key) })
    }

    /// A list of whole numbers in a range.
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

/// The place of an element.
private struct Place: CodingKey {
    let intValue: Int?
    let stringValue: String

    init(intValue: Int) {
        self.intValue = intValue
        stringValue = "\(intValue)"
    }

    init?(stringValue: String) { nil }
}
