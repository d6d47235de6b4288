import Foundation

/// Filters that return numbers.
extension JinjaRenderer {
    func numberFilter(_ name: String, _ value: JinjaValue, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        func bind(_ names: String...) throws -> JinjaBinding { try JinjaBinding("the filter \"\(name)\"", arguments, names, self) }
        if case .undefined(let reason) = value {
            // Python converts an undefined value to a number, which raises the undefined value's own error
            throw fault(reason)
        }
        switch name {
        case "abs":
            _ = try bind()
            if let whole = value.wholeNumber { return whole < 0 ? try signed(.int(whole), .subtract) : .int(whole) }
            guard let number = value.number else { throw fault("the filter \"abs\" needs a number, not a \(value.typeName)") }
            return .float(number.magnitude)
        case "int":
            let given = try bind("default", "base")
            let radix = try given.whole("base", default: 10)
            return try whole(value, radix: radix) ?? given["default"] ?? .int(0)
        case "float":
            let given = try bind("default")
            return number(value).map { .float($0) } ?? given["default"] ?? .float(0)
        default: return try rounded(value, bind("precision", "method"))
        }
    }

    private func whole(_ value: JinjaValue, radix: Int) throws -> JinjaValue? {
        if let whole = value.wholeNumber { return .int(whole) }
        if let text = value.text, let whole = try Self.whole(text, radix: radix, self) { return .int(whole) }
        guard let number = number(value), number.isFinite else {
            if case .float(let number) = value, number.isInfinite { throw fault("an infinite number is not a whole number") }
            return nil
        }
        guard number.magnitude < 9.2e18 else { throw unsupported("whole numbers that do not fit into 64 bits are not supported") }
        return .int(Int(number))
    }

    /// `int(text, base)`.
    private static func whole(_ text: String, radix: Int, _ renderer: JinjaRenderer) throws -> Int? {
        var digits = try renderer.stripped(text, nil)
        var sign = ""
        if let first = digits.first, "+-".contains(first) { sign = String(digits.removeFirst()) }
        var radix = radix
        for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)]
        where digits.lowercased().hasPrefix(prefix) && (radix == base || radix == 0) {
            digits.removeFirst(2)
            if digits.first == "_" { digits.removeFirst() }
            radix = base
        }
        if radix == 0 { radix = 10 }
        guard (2...36).contains(radix) else { throw renderer.fault("the base of a number must be 0 or from 2 to 36") }
        let parts = digits.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { Self.value(of: $0) < radix } }) else { return nil }
        guard let value = Int(sign + parts.joined(), radix: radix) else {
            throw renderer.unsupported("whole numbers that do not fit into 64 bits are not supported")
        }
        return value
    }

    private static func value(of digit: UInt8) -> Int {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(digit) - 48
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(digit) - 87
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(digit) - 55
        default: 99
        }
    }

    /// `float(value)`; nil if the conversion fails.
    private func number(_ value: JinjaValue) -> Double? {
        if let number = value.number { return number }
        guard let text = value.text, let trimmed = try? stripped(text, nil), !trimmed.isEmpty else { return nil }
        let digits = trimmed.lowercased()
        let parts = digits.split(separator: "_", omittingEmptySubsequences: false)
        let joins = zip(parts, parts.dropFirst()).allSatisfy { ($0.last?.isNumber ?? false) && ($1.first?.isNumber ?? false) }
        let plain = parts.joined()
        guard joins, !plain.hasPrefix("0x"), !plain.dropFirst().hasPrefix("0x"), !plain.contains("nan("), !plain.contains("p") else {
            return nil
        }
        var unsigned = Substring(plain)
        if let first = unsigned.first, "+-".contains(first) { unsigned.removeFirst() }
        if ["inf", "infinity", "nan"].contains(unsigned) {
            return unsigned == "nan" ? .nan : plain.hasPrefix("-") ? -.infinity : .infinity
        }
        guard let first = unsigned.first, first == "." || first.isASCII && first.isNumber else { return nil }
        return plain.withCString { start in
            var end: UnsafeMutablePointer<CChar>?
            let number = strtod(start, &end)
            guard let end, end.pointee == 0, strlen(start) == plain.utf8.count else { return nil }
            return number
        }
    }

    private func rounded(_ value: JinjaValue, _ given: JinjaBinding) throws -> JinjaValue {
        let precision = try given.whole("precision", default: 0)
        let method = try given.text("method", default: "common")
        guard ["common", "ceil", "floor"].contains(method) else { throw fault("the method of round must be common, ceil or floor") }
        guard let number = value.number else { throw fault("the filter \"round\" needs a number, not a \(value.typeName)") }
        guard (-300...300).contains(precision) else { throw unsupported("rounding to \(precision) digits is not supported") }
        if method == "common" {
            if let whole = value.wholeNumber {
                guard precision < 0 else { return .int(whole) }
                guard precision > -18 else { return .int(0) }
                let unit = Int(pow(10, Double(-precision)))
                let (low, rest) = (whole - ((whole % unit) + unit) % unit, ((whole % unit) + unit) % unit)
                let isUp = rest * 2 > unit || (rest * 2 == unit && (low / unit) % 2 != 0)
                return .int(isUp ? low + unit : low)
            }
            guard number.isFinite else { return value }
            if precision >= 0 { return .float(Double(String(format: "%.\(precision)f", number)) ?? number) }
            let unit = pow(10, Double(-precision))
            return .float((number / unit).rounded(.toNearestOrEven) * unit)
        }
        guard number.isFinite else { throw fault("an infinite number cannot be rounded") }
        let unit = pow(10, Double(precision))
        let scaled = number * unit
        let result = method == "ceil" ? scaled.rounded(.up) : scaled.rounded(.down)
        // Python returns an integer here, so there is no negative zero
        return .float((result == 0 ? 0 : result) / unit)
    }
}
